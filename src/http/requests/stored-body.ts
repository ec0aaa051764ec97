// The body of a stored request as it came: its bytes, its file, or its form written again.

import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BodyPart } from '../../core/delivery/outbound.ts';
import { rebuildForm } from '../../core/form/rebuilt-form.ts';
import { parseJson } from '../../core/json/json.ts';
import type { RequestHead } from '../../core/run/request.ts';
import type { BlobStore } from '../../files/blobs.ts';
import type { StoredRequest } from '../../storage/runs/run-records.ts';

export interface StoredBody {
  content: Buffer | Readable;
  /** Of `content`; null: the type of the request, which is not repeated, so that no browser shows it as a page. */
  type: string | null;
}

type ReadBlob = BlobStore['read'];

export function bodyOfRequest({ request, bodyKind, body }: StoredRequest, readBlob: ReadBlob): StoredBody {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bodyKind !== 'file' && !bodyKind.startsWith('multipart')) return { content: bytes, type: null };
  const { files } = parseJson(request) as RequestHead;
  if (bodyKind === 'file') return { content: streamOf(files.slice(0, 1), readBlob), type: null };
  const boundary = randomBytes(16).toString('hex');
  const parts = rebuildForm(parseJson(bytes.toString('utf8')), files, boundary);
  return { content: streamOf(parts, readBlob), type: `multipart/form-data; boundary=${boundary}` };
}

function streamOf(parts: readonly BodyPart[], readBlob: ReadBlob): Readable {
  return Readable.from(piecesOf(parts, readBlob));
}

async function* piecesOf(parts: readonly BodyPart[], readBlob: ReadBlob): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else if ('sha256' in part) yield* readBlob(part.sha256, part.size) as AsyncIterable<Uint8Array>;
  }
}
