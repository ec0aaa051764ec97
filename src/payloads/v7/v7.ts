// The format of V7 Darwin: the body of its Webhook Stage (Darwin JSON 2.0), the stage's body of 2022, and the event of a
// completed workflow.

import { orFault } from '../bad-payload.ts';
import { cutNumberLists } from '../cut-number-lists.ts';
import type { PayloadDocument, PayloadFormat } from '../format.ts';
import { JsonCursor } from '../json-cursor.ts';
import { parseDocument, refuseBody } from '../json-document.ts';
import { MAX_POINTS, refuseTooMany } from '../limits.ts';
import { NO_ITEM, type Payload, type PayloadItem } from '../payload.ts';
import { readAnnotation } from './v7-annotation.ts';
import { tieRasterLayers } from './v7-masks.ts';
import { countPoints, findShape } from './v7-shape.ts';

interface V7Form {
  kind: string;
  item: PayloadItem;
  annotations: JsonCursor;
  /** The annotations, flattened. */
  listed: JsonCursor[];
  metadata: unknown;
}

export const v7: PayloadFormat = {
  source: 'v7',
  locate: ({ files, content_type }) =>
    orFault(() => {
      const document = files.find(({ name }) => name === 'body');
      return { document: document ?? refuseBody(content_type, 'must be a JSON document, sent as application/json') };
    }),
  read: (_received, document) => orFault(() => readV7(document)),
  images: () => [],
};

function readV7(given: PayloadDocument | null): Payload {
  if (given === null) return new JsonCursor(null, 'body').refuse('must be a JSON document');
  const light = cutNumberLists(given.bytes);
  const document = parseDocument(light.bytes, 'body');
  const { kind, item, annotations, listed, metadata } = readForm(document);
  refuseTooMany(annotations.path, listed.length);
  const shapes = listed.map(findShape);
  const omitsOutlines = light.omitsOutlines || shapes.reduce((count, shape) => count + countPoints(shape), 0) > MAX_POINTS;
  const predictions = shapes.map((shape, place) => readAnnotation(listed[place] as JsonCursor, shape, omitsOutlines));
  return {
    kind: `v7.${kind}`,
    source: 'v7',
    item,
    image: null,
    masks: tieRasterLayers(shapes, predictions),
    predictions,
    document: given.file,
    metadata,
    has_annotations: annotations.isGiven,
    omits_outlines: omitsOutlines,
  };
}

function readForm(document: JsonCursor): V7Form {
  if (document.at('item').isObject) return stageForm(document);
  if (document.at('files').isList || document.at('dataset_info').isObject) return legacyForm(document);
  if (document.at('event_type').isGiven) return eventForm(document);
  return document.refuse(
    'is not a V7 payload; it must be an object with "item" (Darwin JSON 2.0), "files" (its older form) or "event_type"',
  );
}

function stageForm(document: JsonCursor): V7Form {
  const item = document.at('item');
  const source = item.at('source_info');
  const slot = firstOf(item.at('slots'));
  const annotations = document.at('annotations');
  return {
    kind: 'stage',
    item: {
      id: source.at('item_id').textIfAny() ?? item.at('id').textIfAny(),
      name: item.at('name').textIfAny(),
      path: item.at('path').textIfAny(),
      dataset: slugOf(source.at('dataset')),
      team: slugOf(source.at('team')),
      width: slot.at('width').sizeIfAny(),
      height: slot.at('height').sizeIfAny(),
      frame_count: slot.at('frame_count').sizeIfAny(),
      url: firstOf(slot.at('source_files')).at('url').textIfAny(),
    },
    annotations,
    listed: listOf(annotations),
    metadata: without(document, 'annotations'),
  };
}

/** Has one list of annotations per file. */
function legacyForm(document: JsonCursor): V7Form {
  const file = firstOf(document.at('files'));
  const annotations = document.at('annotations');
  return {
    kind: 'legacy_stage',
    item: {
      ...NO_ITEM,
      id: file.at('id').textIfAny(),
      name: file.at('filename').textIfAny(),
      path: file.at('path').textIfAny(),
      dataset: slugOf(document.at('dataset_info')),
      team: slugOf(document.at('team_info')),
      width: file.at('width').sizeIfAny(),
      height: file.at('height').sizeIfAny(),
      url: file.at('url').textIfAny(),
    },
    annotations,
    listed: listOf(annotations).flatMap((entry) => (entry.isList ? entry.items() : [entry])),
    metadata: without(document, 'annotations'),
  };
}

function eventForm(document: JsonCursor): V7Form {
  const type = document.at('event_type');
  if (type.value !== 'workflow_complete') type.refuse('must be "workflow_complete", the only V7 event that is supported');
  const payload = document.at('payload');
  if (!payload.isObject) payload.refuse('must be an object');
  const annotations = payload.at('annotations');
  return {
    kind: 'workflow_complete',
    item: {
      ...NO_ITEM,
      id: payload.at('item_id').textIfAny(),
      name: payload.at('filename').textIfAny(),
      path: payload.at('path').textIfAny(),
      dataset: payload.at('dataset_id').textIfAny(),
    },
    annotations,
    listed: listOf(annotations),
    metadata: { ...(document.value as object), payload: without(payload, 'annotations') },
  };
}

/** Absent, null and empty are equal here: V7 does not document which one a stage without annotations sends. */
function listOf(annotations: JsonCursor): JsonCursor[] {
  return annotations.isGiven ? annotations.items() : [];
}

function firstOf(list: JsonCursor): JsonCursor {
  return list.itemsIfAny()[0] ?? new JsonCursor(null, 0, list);
}

function slugOf(owner: JsonCursor): string | null {
  return owner.at('slug').textIfAny() ?? owner.at('name').textIfAny();
}

function without({ value }: JsonCursor, key: string): Record<string, unknown> {
  const { [key]: _, ...others } = value as Record<string, unknown>;
  return others;
}
