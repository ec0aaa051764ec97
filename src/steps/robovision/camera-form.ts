// The form of Robovision's camera inference (source 002): optional image, one file per mask, predictions.json, in order.
// Robovision defines file names, types and the field `predictions`; this project proposes `image` and `mask_0000`.

import type { BodyPart } from '../../core/delivery/outbound.ts';
import type { Part } from '../../core/form/multipart-writer.ts';
import type { FileHandle } from '../../core/run/request.ts';
import type { Payload } from '../../payloads/payload.ts';
import { UnfitPayload } from '../shared/payload-setting.ts';
import { predictionsDocument } from './predictions-document.ts';

export interface FormTools {
  /** Returns the received file that a value is a handle of; null for a look-alike. */
  fileOf: (value: unknown) => FileHandle | null;
  /** Converts an image of another type to JPEG. */
  jpegOf: (image: FileHandle) => Uint8Array;
}

/** Throws UnfitPayload for a file that is not part of the request, and the errors of `jpegOf`. */
export function cameraForm(payload: Payload, includesImage: boolean, tools: FormTools): Part[] {
  const blobOf = (what: string, handle: FileHandle): BodyPart => {
    const file = tools.fileOf(handle);
    if (file === null) throw new UnfitPayload(`${what} of the payload is not a file of this request`);
    return { sha256: file.sha256, size: file.size };
  };
  const { image, source, document } = payload;
  const maskNames = maskNamesOf(payload);
  const parts: Part[] = [];
  if (includesImage && image !== null) {
    const content = blobOf('the image', image);
    parts.push(filePart('image', 'image.jpeg', 'image/jpeg', isJpeg(image, source) ? content : tools.jpegOf(image)));
  }
  for (const [index, name] of maskNames) {
    const { file } = payload.masks[index] as { file: FileHandle };
    const type = /\.jpe?g$/i.test(name) ? 'image/jpeg' : 'image/png';
    parts.push(filePart(name.replace(/\.png$/i, ''), name, type, blobOf(`mask ${name}`, file)));
  }
  const predictions =
    source === 'robovision' && document !== null
      ? blobOf('the document', document)
      : new TextEncoder().encode(JSON.stringify(predictionsDocument(payload, maskNames)));
  return [...parts, filePart('predictions', 'predictions.json', 'application/json', predictions)];
}

/** Without a content type the file name decides: for Robovision's images it was verified against the bytes. */
function isJpeg({ filename, content_type: type }: FileHandle, source: Payload['source']): boolean {
  if (/^image\/jpe?g$/i.test(type)) return true;
  return source === 'robovision' && type === 'application/octet-stream' && /\.jpe?g$/i.test(filename ?? '');
}

/** Names of the masks that are files, by index: from Robovision's document, or numbered. */
function maskNamesOf({ source, masks }: Payload): Map<number, string> {
  const names = new Map<number, string>();
  for (const [index, { file, name }] of masks.entries()) {
    if (file === null) continue;
    const numbered = `mask_${String(names.size).padStart(4, '0')}.png`;
    names.set(index, source === 'robovision' ? (name ?? numbered) : numbered);
  }
  return names;
}

function filePart(name: string, filename: string, contentType: string, content: BodyPart): Part {
  return { name, filename, contentType, headers: {}, content };
}
