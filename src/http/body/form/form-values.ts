// What the parts of a form mean, once the whole form has come: a later field may tell the character set of names and
// texts before it.

import type { ToldCharsets } from '../../../core/form/field-charsets.ts';
import { guessFileType } from '../../../core/form/file-type.ts';
import { MalformedForm } from '../../../core/form/malformed-form.ts';
import { type PartHead, shownPart } from '../../../core/form/part-head.ts';
import { decodePartText } from '../../../core/form/part-name.ts';
import type { FileHandle } from '../../../core/run/request.ts';
import { decodeText } from '../../../core/values/charset.ts';
import { AppError } from '../../../errors.ts';
import { parseJsonField } from '../json-body.ts';
import { bodyKindOf } from '../media-type.ts';

export interface ReceivedField {
  head: PartHead;
  bytes: Uint8Array;
}

export interface ReceivedFile {
  head: PartHead;
  sha256: string;
  size: number;
  /** Its first bytes, which tell what it is where its sender does not. */
  beginning: Uint8Array;
}

/** Throws `invalid`. */
export function readHandle({ head, sha256, size, beginning }: ReceivedFile, charsets: ToldCharsets, keepsFilename: boolean): FileHandle {
  const filename = head.filename === null ? null : decodeName(head, 'filename', charsets);
  return {
    name: decodeName(head, 'name', charsets),
    filename: keepsFilename ? filename : plainFilename(filename),
    content_type: statedType(head) ?? guessFileType(filename ?? '', beginning),
    size,
    sha256,
  };
}

/** By its type, as a body of that type is. */
export function isJson({ contentType }: PartHead): boolean {
  return contentType !== null && bodyKindOf(contentType) === 'json';
}

/** With the character set of a text that is not UTF-8, so that whoever reads the file can tell. */
function statedType({ contentType }: PartHead): string | null {
  if (contentType === null) return null;
  const { type, charset } = contentType;
  return charset === null || !/^[a-z0-9_.:-]+$/.test(charset) || /^utf-?8$/.test(charset) ? type : `${type}; charset=${charset}`;
}

function decodeName(head: PartHead, key: 'name' | 'filename', { ofForm }: ToldCharsets): string {
  const text = decodePartText(head[key] ?? '', ofForm);
  if (text === null)
    throw new MalformedForm(
      `part ${head.number} has a ${key} that is ${ofForm === 'utf-8' ? 'not utf-8' : `neither utf-8 nor ${ofForm}`}`,
      shownPart(head),
    );
  return text;
}

/** Name and value. Throws `invalid` that names the field. */
export function readField({ head, bytes }: ReceivedField, charsets: ToldCharsets): [string, unknown] {
  const name = decodeName(head, 'name', charsets);
  const isJsonField = isJson(head);
  // JSON is UTF-8, whatever else is said of it (RFC 8259).
  const charset = isJsonField ? 'utf-8' : (head.contentType?.charset ?? charsets.of(name));
  let text: string;
  try {
    text = decodeText(bytes, charset);
  } catch (error) {
    const why = error instanceof RangeError ? `has the character set "${charset}", which is not known` : `is not ${charset} text`;
    throw new AppError('invalid', `field "${name}" ${why}; send binary data as a file part, with a filename`, { details: { part: name } });
  }
  return [name, isJsonField ? parseJsonField(text, name) : text];
}

/** A name to show, never to open: without folders and control characters. */
export function plainFilename(filename: string | null): string | null {
  if (filename === null) return null;
  const base = filename.split(/[/\\]/).at(-1) as string;
  if (base === '.' || base === '..') return '';
  return base.replaceAll(/\p{Cc}/gu, '').slice(0, 255);
}
