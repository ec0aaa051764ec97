// Ties mask files to the predictions that name them. Every name must have its file, and every mask file its name: a
// mismatch means that the request was cut off or mixed up.

import type { FileHandle } from '../../core/run/request.ts';
import { BadPayload, shownText } from '../bad-payload.ts';
import type { JsonCursor } from '../json-cursor.ts';
import type { Mask, Prediction } from '../payload.ts';
import { looksLikeMask } from './robovision-parts.ts';

/** A prediction, and the value in the document that names its mask. */
export interface MaskedPrediction {
  prediction: Prediction;
  mask: JsonCursor | null;
}

/** Returns the masks in document order and sets `mask` of each prediction. Throws BadPayload. */
export function tieMasks(masked: readonly MaskedPrediction[], files: readonly FileHandle[]): Mask[] {
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
    throw new BadPayload(
      shownText(file.filename as string),
      'is a mask that no prediction names; each mask file must be named by a prediction',
    );
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
    throw new BadPayload(shownText(name), `is missing, but ${place.path} names it; send each mask as a file part with that file name`);
  if (others.length > 0)
    throw new BadPayload(shownText(name), `was sent ${others.length + 1} times; each mask must have its own file name`);
  return file;
}
