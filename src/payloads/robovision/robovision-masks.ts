// Ties mask files to the predictions whose documents name them. Every name must have its file, and every mask file a
// name: what does not match was cut off on its way, or mixed up.

import type { FileHandle } from '../../core/run/request.ts';
import { BadPayload, shownText } from '../bad-payload.ts';
import type { JsonCursor } from '../json-cursor.ts';
import type { Mask, Prediction } from '../payload.ts';
import { looksLikeMask } from './robovision-parts.ts';

/** A prediction, and the place where the document names its mask. */
export interface Masked {
  prediction: Prediction;
  mask: JsonCursor | null;
}

/** Masks in the order in which the document names them; `mask` of the predictions is set. Throws BadPayload. */
export function tieMasks(masked: readonly Masked[], files: readonly FileHandle[]): Mask[] {
  const byName = groupByName(files);
  const tied = new Map<string, { index: number; mask: Mask }>();
  for (const [index, { prediction, mask: place }] of masked.entries()) {
    if (place === null) continue;
    const name = place.text();
    const known = tied.get(name) ?? {
      index: tied.size,
      mask: { name, file: findFile(place, byName), class: prediction.class, predictions: [] },
    };
    tied.set(name, known);
    known.mask.predictions.push(index);
    if (known.mask.class !== prediction.class) known.mask.class = null;
    prediction.mask = known.index;
  }
  for (const file of files.filter(looksLikeMask)) {
    if (tied.has(file.filename as string)) continue;
    throw new BadPayload(shownText(file.filename as string), 'is a mask that the predictions do not name');
  }
  return [...tied.values()].map(({ mask }) => mask);
}

function groupByName(files: readonly FileHandle[]): ReadonlyMap<string, FileHandle[]> {
  const grouped = new Map<string, FileHandle[]>();
  for (const file of files) {
    if (file.filename === null) continue;
    const same = grouped.get(file.filename);
    if (same === undefined) grouped.set(file.filename, [file]);
    else same.push(file);
  }
  return grouped;
}

function findFile(place: JsonCursor, byName: ReadonlyMap<string, FileHandle[]>): FileHandle {
  const name = place.text();
  const [file, ...others] = byName.get(name) ?? [];
  if (file === undefined)
    throw new BadPayload(shownText(name), `did not come, and ${place.path} names it: each mask is a file part of that name`);
  if (others.length > 0) throw new BadPayload(shownText(name), `came ${others.length + 1} times: each mask has a file name of its own`);
  return file;
}
