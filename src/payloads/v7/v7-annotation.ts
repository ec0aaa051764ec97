// One annotation of V7 as a prediction: its shape, and what is noted on it by whom. Numbers of masks are never touched.

import { readBoxIfAny } from '../geometry.ts';
import type { JsonCursor } from '../json-cursor.ts';
import { makePrediction, type Prediction } from '../payload.ts';
import { readOwnShape } from './v7-own-shape.ts';
import type { V7Shape } from './v7-shape.ts';

/** `omitsPoints`: outlines, lines and skeletons stay in the document. */
export function readAnnotation(annotation: JsonCursor, shape: V7Shape, omitsPoints: boolean): Prediction {
  if (!annotation.isObject) annotation.refuse('must be an annotation, an object');
  const name = annotation.firstOf(['name', 'class_name']);
  const { type, holder, noting, frame, frameCount } = shape;
  return makePrediction({
    id: annotation.at('id').textIfAny(),
    class: name.textIfAny() ?? name.refuse('must be the name of a class'),
    confidence: annotation.at('inference').at('confidence').confidenceIfAny(),
    type,
    bounding_box: readBoxIfAny(holder.at('bounding_box')),
    ...readOwnShape(shape, omitsPoints),
    frame,
    frame_count: frameCount,
    ranges: noting.flatMap((note) => note.firstOf(['ranges', 'segments']).itemsIfAny().flatMap(rangesOf)),
    text: firstNote(noting, (note) => textOf(note.at('text'))),
    instance_id: firstNote(noting, (note) => instanceOf(note.at('instance_id'))),
    directional_vector: firstNote(noting, (note) => vectorOf(note.at('directional_vector'))),
    attributes: [...new Set(noting.flatMap((note) => note.at('attributes').itemsIfAny().flatMap(textsOf)))],
    properties: annotation.at('properties').itemsIfAny().flatMap(propertiesOf),
    annotators: annotation.at('annotators').itemsIfAny().flatMap(annotatorsOf),
  });
}

function firstNote<Note>(noting: readonly JsonCursor[], read: (note: JsonCursor) => Note | null): Note | null {
  for (const one of noting) {
    const note = read(one);
    if (note !== null) return note;
  }
  return null;
}

/** From the first frame to the one after the last, which is null where there is no end yet. */
function rangesOf(range: JsonCursor): Prediction['ranges'] {
  const [from, to] = range.itemsIfAny().map((end) => end.numberIfAny());
  return from === undefined || from === null ? [] : [[from, to ?? null]];
}

function instanceOf(instance: JsonCursor): number | null {
  return instance.at('value').numberIfAny() ?? instance.numberIfAny();
}

function vectorOf(vector: JsonCursor): Prediction['directional_vector'] {
  return vector.isObject ? { angle: vector.at('angle').numberIfAny(), length: vector.at('length').numberIfAny() } : null;
}

function textOf(text: JsonCursor): string | null {
  return text.textIfAny() ?? text.at('text').textIfAny();
}

function textsOf(entry: JsonCursor): string[] {
  const text = entry.textIfAny() ?? entry.at('name').textIfAny();
  return text === null ? [] : [text];
}

function propertiesOf(entry: JsonCursor): Prediction['properties'] {
  const name = entry.at('name').textIfAny();
  return name === null ? [] : [{ name, value: entry.at('value').value ?? null }];
}

function annotatorsOf(entry: JsonCursor): Prediction['annotators'] {
  return entry.isObject ? [{ email: entry.at('email').textIfAny(), full_name: entry.at('full_name').textIfAny() }] : [];
}
