// Identifies the parts of a Robovision request. The platform documents file names and content types, but not field names,
// so file names and content types decide.

import type { FileHandle } from '../../core/run/request.ts';
import { BadPayload, shownText } from '../bad-payload.ts';
import type { Received } from '../format.ts';
import { claimedKind } from '../images/check-image.ts';
import { isDict } from '../json-cursor.ts';
import type { Mask } from '../payload.ts';

/** The document: a file, or the decoded value of a form field. */
export type Predictions = { file: FileHandle } | { field: string; value: unknown };

/** Throws BadPayload unless there is exactly one document. */
export function findPredictions({ files, fields }: Received): Predictions {
  const others = files.filter((file) => claimedKind(file) === null);
  const named = [
    ...others.filter(({ name, filename }) => name === 'predictions' || filename === 'predictions.json').map((file) => ({ file })),
    ...fieldValues(fields).map((value) => ({ field: 'predictions', value })),
  ];
  const found = named.length > 0 ? named : [...others.filter(isJson).map((file) => ({ file })), ...jsonFields(fields)];
  const [first, second] = found;
  if (first === undefined)
    throw new BadPayload('predictions', 'is missing; the request must have a part "predictions" with the file predictions.json');
  if (second !== undefined) throw new BadPayload('predictions', `was sent ${found.length} times; the request must have one such part`);
  return first;
}

function isJson({ filename, content_type }: FileHandle): boolean {
  return /\.json$/i.test(filename ?? '') || content_type.startsWith('application/json');
}

/** A repeated field is a list of texts or of documents; any other list is one document. */
function fieldValues(fields: Received['fields']): unknown[] {
  if (!Object.hasOwn(fields, 'predictions')) return [];
  const value = fields['predictions'];
  const isRepeated =
    Array.isArray(value) && value.some((item) => typeof item === 'string' || (isDict(item) && Object.hasOwn(item, 'kind')));
  return isRepeated ? value : [value];
}

/** A field is an object only if it was sent as JSON. */
function jsonFields(fields: Received['fields']): { field: string; value: unknown }[] {
  return Object.entries(fields).flatMap(([field, value]) => (isDict(value) ? [{ field, value }] : []));
}

/** Throws BadPayload for a file name that is a path: only an attacker or a broken sender writes one. */
export function refusePaths(files: readonly FileHandle[]): void {
  for (const { name, filename } of files) {
    if (filename === null || !/[/\\]|\p{Cc}|^\.{1,2}$|^[a-z]:/iu.test(filename)) continue;
    const base = filename.split(/[/\\:]/).at(-1) ?? '';
    const better = /^\.*$/.test(base) ? 'image.jpeg' : base;
    throw new BadPayload(
      shownText(name),
      `has the file name "${shownText(filename)}", which is a path or contains control characters; send only a name, such as "${shownText(better)}"`,
    );
  }
}

/** The analysed image: the file called `image`, else a JPEG that is not a mask. Throws BadPayload for a second `image`. */
export function findImage(files: readonly FileHandle[], masks: readonly Mask[]): FileHandle | null {
  const taken = new Set(masks.map(({ file }) => file));
  const images = files.filter((file) => claimedKind(file) !== null && !taken.has(file));
  const named = images.filter(({ filename }) => /^image(?:\.\w+)?$/i.test(filename ?? ''));
  if (named.length > 1)
    throw new BadPayload(shownText(named[1]?.filename ?? 'image'), `was sent ${named.length} times; a request must have one image`);
  return named[0] ?? images.find((file) => claimedKind(file) === 'jpeg') ?? null;
}

/** By file name and type alone, whether or not the document names it. */
export function looksLikeMask(file: FileHandle): boolean {
  return /^mask/i.test(file.filename ?? '') && claimedKind(file) === 'png';
}
