// The form that Robovision's camera inference sends (source 002): the image where it is wanted, one file for each mask,
// and predictions.json, in this order. File names and types are Robovision's; the names of the fields `image` and
// `mask_0000` are proposed by this project, and `predictions` is what Robovision's own receiver looks for.

import type { BodyPart } from '../../core/delivery/outbound.ts';
import type { Part } from '../../core/form/multipart-writer.ts';
import type { FileHandle } from '../../core/run/request.ts';
import type { Payload } from '../../payloads/payload.ts';
import { UnfitPayload } from '../shared/payload-setting.ts';
import { predictionsDocument } from './predictions-document.ts';

export interface FormTools {
  /** The received file that a value stands for; null for one that only looks like a file. */
  fileOf: (value: unknown) => FileHandle | null;
  /** An image of another kind as JPEG. */
  jpegOf: (image: FileHandle) => Uint8Array;
}

/** Throws PayloadFault for a file that did not come with the request, and what `jpegOf` throws. */
export function cameraForm(payload: Payload, includesImage: boolean, tools: FormTools): Part[] {
  const blobOf = (what: string, handle: FileHandle): BodyPart => {
    const file = tools.fileOf(handle);
    if (file === null) throw new UnfitPayload(`${what} of the payload is no file of this request`);
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

/** Where the content type says nothing the file name does: of Robovision's images it has been held against the bytes. */
function isJpeg({ filename, content_type: type }: FileHandle, source: Payload['source']): boolean {
  if (/^image\/jpe?g$/i.test(type)) return true;
  return source === 'robovision' && type === 'application/octet-stream' && /\.jpe?g$/i.test(filename ?? '');
}

/** Masks that are files, by their index: under the name by which Robovision's document names them, or numbered. */
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
