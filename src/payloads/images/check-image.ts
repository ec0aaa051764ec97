// Whether a received image is whole, and is what its file name and content type say that it is.

import type { FileHandle } from '../../core/run/request.ts';
import { shownText } from '../bad-payload.ts';
import type { PayloadFault } from '../format.ts';
import type { ImageInspection, ImageSize } from './inspection.ts';
import { inspectJpeg } from './jpeg-file.ts';
import { inspectPng, PNG_SIGNATURE } from './png-file.ts';

export type ImageKind = 'png' | 'jpeg';

/** A sentence about the file where it is not whole: `ends after 512 bytes, …`. */
export function imageFault(kind: ImageKind, bytes: Uint8Array): string | null {
  return inspectImage(kind, bytes).fault;
}

/** As `imageFault`, and with the size of an image that is whole. */
function inspectImage(kind: ImageKind, bytes: Uint8Array): ImageInspection {
  if (bytes.length === 0) return { fault: 'is empty' };
  if (kindOfBytes(bytes) !== kind) return { fault: `does not begin as a ${SHOWN[kind]} file does` };
  return kind === 'png' ? inspectPng(bytes) : inspectJpeg(bytes);
}

/** `bytes` are the file's. */
export function checkImage(file: FileHandle, bytes: Uint8Array): ImageSize | PayloadFault {
  const part = shownText(file.filename ?? file.name);
  const [named, typed, kind] = [kindOfName(file.filename), kindOfType(file.content_type), kindOfBytes(bytes)];
  if (!saysNothing(file.content_type) && (typed === null || (typed !== named && typed !== kind)))
    return { part, message: `has the content type ${shownText(file.content_type)}, and ${truthOf(kind, named)}` };
  if (kind !== null && kind !== typed && kind !== named && (named !== null || typed !== null))
    return { part, message: `is a ${SHOWN[kind]} file by its bytes, and neither its name nor its content type says so` };
  const expected = kind ?? named ?? typed;
  if (expected === null) return { part, message: 'is no image: its bytes are neither a PNG nor a JPEG file' };
  const inspection = inspectImage(expected, bytes);
  return inspection.fault === null ? { width: inspection.width, height: inspection.height } : { part, message: inspection.fault };
}

/** What a file is by its name, and by its content type where its name does not tell. */
export function claimedKind({ filename, content_type }: FileHandle): ImageKind | null {
  return kindOfName(filename) ?? (/\.json$/i.test(filename ?? '') ? null : kindOfType(content_type));
}

const SHOWN: Readonly<Record<ImageKind, string>> = { png: 'PNG', jpeg: 'JPEG' };

function truthOf(kind: ImageKind | null, named: ImageKind | null): string {
  if (kind !== null) return `is a ${SHOWN[kind]} file: send it as image/${kind}`;
  return named === null ? 'is no PNG or JPEG file' : `its name says image/${named}`;
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

/** True of any bytes, so that it is never wrong. */
function saysNothing(contentType: string): boolean {
  return contentType === '' || contentType.startsWith('application/octet-stream');
}

function kindOfBytes(bytes: Uint8Array): ImageKind | null {
  if (PNG_SIGNATURE.every((byte, at) => bytes[at] === byte)) return 'png';
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? 'jpeg' : null;
}
