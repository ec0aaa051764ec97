// The head of one part of a multipart form (RFC 7578, 4). Accepts a missing disposition, or one other than form-data.
// Rejects an unreadable head, because its part would be lost.

import { readParameters } from './header-parameters.ts';
import { MalformedForm } from './malformed-form.ts';
import { decodePartText, type PartText, readPartText } from './part-name.ts';

export interface PartHead {
  /** Position in the form, from 1. */
  number: number;
  name: PartText | null;
  filename: PartText | null;
  /** Null when the part has none. */
  contentType: { type: string; charset: string | null } | null;
  /** Of Content-Transfer-Encoding, in lower case. */
  transferEncoding: string | null;
}

const MAX_HEADERS = 50;
const MAX_NAME_BYTES = 1024;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)$/;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+*-]+\/[a-z0-9!#$&^_.+*-]+$/;

/** `bytes`: the lines of the head, without the empty one. Throws MalformedForm. */
export function readPartHead(bytes: Buffer, number: number): PartHead {
  const refuse = (why: string): MalformedForm => new MalformedForm(`part ${number} ${why}`, `part ${number}`);
  const headers = readHeaders(bytes.toString('latin1'), refuse);
  const disposition = parametersOf(headers, 'content-disposition', refuse);
  const textOf = (key: 'name' | 'filename'): PartText | null => {
    if (disposition === null) return null;
    const read = readPartText(disposition.parameters, key);
    if (read.fault !== null) throw refuse(read.fault);
    return read.text;
  };
  const name = textOf('name');
  if (name !== null && name.length > MAX_NAME_BYTES) throw refuse(`has a name of more than ${MAX_NAME_BYTES} bytes`);
  return {
    number,
    name,
    filename: textOf('filename'),
    contentType: readType(headers, refuse),
    transferEncoding: headers.get('content-transfer-encoding')?.toLowerCase() ?? null,
  };
}

/** How messages refer to a part: by its name, or by its number. */
export function shownPart({ name, number }: PartHead): string {
  const text = name === null ? '' : (decodePartText(name, 'windows-1252') ?? '');
  return text === '' ? `part ${number}` : text.slice(0, 100);
}

type Refuse = (why: string) => MalformedForm;

/** By lower-case name; empty headers are ignored. */
function readHeaders(head: string, refuse: Refuse): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (head === '') return headers;
  const lines = head.replaceAll(/\r\n[ \t]/g, ' ').split('\r\n');
  if (lines.length > MAX_HEADERS) throw refuse(`has ${lines.length} header lines; at most ${MAX_HEADERS} are read`);
  for (const line of lines) {
    const [, name, text] = (line.includes('\0') ? null : FIELD.exec(line)) ?? [];
    if (name === undefined || text === undefined)
      throw refuse(
        `has a line in its head that is not a header, ${JSON.stringify(line.slice(0, 40))}; lines end with CR LF, the head with an empty one`,
      );
    const key = name.toLowerCase();
    const value = text.trim();
    if (value === '') continue;
    if (headers.has(key) && key.startsWith('content-')) throw refuse(`has two headers ${name}`);
    headers.set(key, value);
  }
  return headers;
}

function parametersOf(
  headers: ReadonlyMap<string, string>,
  name: string,
  refuse: Refuse,
): { value: string; parameters: ReadonlyMap<string, string> } | null {
  const header = headers.get(name);
  if (header === undefined) return null;
  const read = readParameters(header);
  if (read.fault !== null) throw refuse(`has a header ${name} that ${read.fault}`);
  return read;
}

function readType(headers: ReadonlyMap<string, string>, refuse: Refuse): PartHead['contentType'] {
  const read = parametersOf(headers, 'content-type', refuse);
  if (read === null) return null;
  if (!MEDIA_TYPE.test(read.value))
    throw refuse(`has the content type ${JSON.stringify(read.value.slice(0, 40))}; write one as text/plain, or none`);
  return { type: read.value, charset: read.parameters.get('charset')?.toLowerCase() ?? null };
}
