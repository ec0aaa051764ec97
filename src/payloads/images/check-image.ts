// Checks that a received image is complete and agrees with its file name and content type.

import type { FileHandle } from '../../core/run/request.ts';
import { shownText } from '../bad-payload.ts';
import type { PayloadFault } from '../format.ts';
import type { ImageInspection, ImageSize } from './inspection.ts';
import { inspectJpeg } from './jpeg-file.ts';
import { inspectPng, PNG_SIGNATURE } from './png-file.ts';

export type ImageKind = 'png' | 'jpeg';

/** The fault of an incomplete file, to follow its name: `ends after 512 bytes, …`. Null for a complete file. */
export function imageFault(kind: ImageKind, bytes: Uint8Array): string | null {
  return inspectImage(kind, bytes).fault;
}

function inspectImage(kind: ImageKind, bytes: Uint8Array): ImageInspection {
  if (bytes.length === 0) return { fault: 'is empty' };
  if (kindOfBytes(bytes) !== kind) return { fault: `does not begin with the ${KIND_NAMES[kind]} signature` };
  return kind === 'png' ? inspectPng(bytes) : inspectJpeg(bytes);
}

/** Returns the size in pixels. `bytes` is the content of the file. */
export function checkImage(file: FileHandle, bytes: Uint8Array): ImageSize | PayloadFault {
  const part = shownText(file.filename ?? file.name);
  const [named, typed, kind] = [kindOfName(file.filename), kindOfType(file.content_type), kindOfBytes(bytes)];
  if (!isUnspecific(file.content_type) && (typed === null || (typed !== named && typed !== kind)))
    return { part, message: `has the content type ${shownText(file.content_type)}, but ${correctionFor(kind, named)}` };
  if (kind !== null && kind !== typed && kind !== named && (named !== null || typed !== null))
    return {
      part,
      message: `contains a ${KIND_NAMES[kind]} image, but neither its name nor its content type says so; send it as image/${kind}`,
    };
  const expected = kind ?? named ?? typed;
  if (expected === null) return { part, message: 'is not an image; send a PNG or JPEG file' };
  const inspection = inspectImage(expected, bytes);
  return inspection.fault === null ? { width: inspection.width, height: inspection.height } : { part, message: inspection.fault };
}

/** The kind that the file name claims, or the content type if the name has no known ending. */
export function claimedKind({ filename, content_type }: FileHandle): ImageKind | null {
  return kindOfName(filename) ?? (/\.json$/i.test(filename ?? '') ? null : kindOfType(content_type));
}

const KIND_NAMES: Readonly<Record<ImageKind, string>> = { png: 'PNG', jpeg: 'JPEG' };

function correctionFor(kind: ImageKind | null, named: ImageKind | null): string {
  if (kind !== null) return `is a ${KIND_NAMES[kind]} file; send it as image/${kind}`;
  return named === null ? 'must be a PNG or JPEG file' : `its name says image/${named}; the two must agree`;
}

function kindOfName(filename: string | null): ImageKind | null {
  const [, ending] = /\.(png|jpe?g)$/i.exec(filename ?? '') ?? [];
  if (ending === undefined) return null;
  return ending.toLowerCase() === 'png' ? 'png' : 'jpeg';
}

function kindOfType(contentType: string): ImageKind | null {
  const [, subtype] = /^image\/(png|jpe?g)\b/i.exec(contentType) ?? [];
  if (subtype === undefined) return null;
  return subtype.toLowerCase() === 'png' ? 'png' : 'jpeg';
}

/** `application/octet-stream` is true of any bytes, so it contradicts nothing. */
function isUnspecific(contentType: string): boolean {
  return contentType === '' || contentType.startsWith('application/octet-stream');
}

function kindOfBytes(bytes: Uint8Array): ImageKind | null {
  if (PNG_SIGNATURE.every((byte, at) => bytes[at] === byte)) return 'png';
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? 'jpeg' : null;
}
