// Writes a received multipart form again from its fields and files. The bytes of the original are not kept: this has
// another boundary, all fields before the files, and only the name, file name and type of each part.

import type { BodyPart } from '../delivery/outbound.ts';
import { stringifyJson } from '../json/json.ts';
import type { FileHandle } from '../run/request.ts';
import { encodeMultipart, type Part } from './multipart-writer.ts';

const UTF8 = new TextEncoder();

/** `fields` is the decoded body: a list is a field that came several times, and a value that is not text came as JSON. */
export function rebuildForm(fields: unknown, files: readonly FileHandle[], boundary: string): BodyPart[] {
  const texts = Object.entries((fields ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().map((item) => fieldPart(name, item)),
  );
  return encodeMultipart([...texts, ...files.map(filePart)], boundary);
}

function fieldPart(name: string, value: unknown): Part {
  const isText = typeof value === 'string';
  const content = UTF8.encode(isText ? value : stringifyJson(value));
  return { name, filename: null, contentType: isText ? null : 'application/json', headers: {}, content };
}

function filePart({ name, filename, content_type: contentType, sha256, size }: FileHandle): Part {
  return { name, filename: filename ?? name, contentType, headers: {}, content: { sha256, size } };
}
