// Reads one V7 annotation as a prediction: its shape, attributes, properties and annotators. It never reads the numbers of
// masks.

import { readBoxIfAny } from '../geometry.ts';
import type { JsonCursor } from '../json-cursor.ts';
import { makePrediction, type Prediction } from '../payload.ts';
import { readOwnShape } from './v7-own-shape.ts';
import type { V7Shape } from './v7-shape.ts';

/** With `omitsPoints`, the prediction has no outlines, lines and skeletons. */
export function readAnnotation(annotation: JsonCursor, shape: V7Shape, omitsPoints: boolean): Prediction {
  if (!annotation.isObject) annotation.refuse('must be an annotation object');
  const name = annotation.firstOf(['name', 'class_name']);
  const { type, holder, noteSources, frame, frameCount } = shape;
  return makePrediction({
    id: annotation.at('id').textIfAny(),
    class: name.textIfAny() ?? name.refuse('must be the name of a class'),
    confidence: annotation.at('inference').at('confidence').confidenceIfAny(),
    type,
    bounding_box: readBoxIfAny(holder.at('bounding_box')),
    ...readOwnShape(shape, omitsPoints),
    frame,
    frame_count: frameCount,
    ranges: noteSources.flatMap((note) => note.firstOf(['ranges', 'segments']).itemsIfAny().flatMap(rangesOf)),
    text: firstNote(noteSources, (note) => textOf(note.at('text'))),
    instance_id: firstNote(noteSources, (note) => instanceOf(note.at('instance_id'))),
    directional_vector: firstNote(noteSources, (note) => vectorOf(note.at('directional_vector'))),
    attributes: [...new Set(noteSources.flatMap((note) => note.at('attributes').itemsIfAny().flatMap(textsOf)))],
    properties: annotation.at('properties').itemsIfAny().flatMap(propertiesOf),
    annotators: annotation.at('annotators').itemsIfAny().flatMap(annotatorsOf),
  });
}

function firstNote<Note>(noteSources: readonly JsonCursor[], read: (note: JsonCursor) => Note | null): Note | null {
  for (const source of noteSources) {
    const note = read(source);
    if (note !== null) return note;
  }
  return null;
}

/** The first frame and the frame after the last; null if the range is open. */
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
