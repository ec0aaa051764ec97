// Decodes the parts of a form once the whole form has arrived: a later field may declare the charset of earlier names and
// texts.

import type { DeclaredCharsets } from '../../../core/form/field-charsets.ts';
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
  /** Its first bytes, to detect an undeclared type. */
  beginning: Uint8Array;
}

/** Throws `invalid`. */
export function toFileHandle(
  { head, sha256, size, beginning }: ReceivedFile,
  charsets: DeclaredCharsets,
  keepsFilename: boolean,
): FileHandle {
  const filename = head.filename === null ? null : decodeName(head, 'filename', charsets);
  return {
    name: decodeName(head, 'name', charsets),
    filename: keepsFilename ? filename : plainFilename(filename),
    content_type: declaredType(head) ?? guessFileType(filename ?? '', beginning),
    size,
    sha256,
  };
}

/** By the same rule as for bodies. */
export function isJson({ contentType }: PartHead): boolean {
  return contentType !== null && bodyKindOf(contentType) === 'json';
}

/** Includes a charset other than UTF-8, for readers of the file. */
function declaredType({ contentType }: PartHead): string | null {
  if (contentType === null) return null;
  const { type, charset } = contentType;
  return charset === null || !/^[a-z0-9_.:-]+$/.test(charset) || /^utf-?8$/.test(charset) ? type : `${type}; charset=${charset}`;
}

function decodeName(head: PartHead, key: 'name' | 'filename', { ofForm }: DeclaredCharsets): string {
  const text = decodePartText(head[key] ?? '', ofForm);
  if (text === null)
    throw new MalformedForm(
      `part ${head.number} has a ${key} that is ${ofForm === 'utf-8' ? 'not utf-8' : `neither utf-8 nor ${ofForm}`}`,
      shownPart(head),
    );
  return text;
}

/** Returns name and value. Throws `invalid` with the name of the field. */
export function readField({ head, bytes }: ReceivedField, charsets: DeclaredCharsets): [string, unknown] {
  const name = decodeName(head, 'name', charsets);
  const isJsonField = isJson(head);
  // JSON is always UTF-8 (RFC 8259).
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

/** Without folders and control characters. For display only, never to open a file. */
export function plainFilename(filename: string | null): string | null {
  if (filename === null) return null;
  const base = filename.split(/[/\\]/).at(-1) as string;
  if (base === '.' || base === '..') return '';
  return base.replaceAll(/\p{Cc}/gu, '').slice(0, 255);
}
