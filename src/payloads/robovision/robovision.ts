// The format of Robovision AI's camera inference: one multipart request per image, with the predictions, with masks if the
// project segments, and with the image if the camera is set up to send it. The platform's own receiver shows only the
// document of an image classification; the shapes of the other four are this project's proposal.

import { orFault } from '../bad-payload.ts';
import type { PayloadDocument, PayloadFormat, Received } from '../format.ts';
import { readBox, readBoxIfAny } from '../geometry.ts';
import { JsonCursor } from '../json-cursor.ts';
import { parseDocument } from '../json-document.ts';
import { refuseTooMany } from '../limits.ts';
import { makePrediction, NO_ITEM, type Payload, type Prediction } from '../payload.ts';
import { BOX_KEYS, CLASS_KEYS, findList, type RobovisionKind, readKind } from './robovision-kind.ts';
import { type MaskedPrediction, tieMasks } from './robovision-masks.ts';
import { findImage, findPredictions, refusePaths } from './robovision-parts.ts';

export const robovision: PayloadFormat = {
  source: 'robovision',
  locate: (received) =>
    orFault(() => {
      refusePaths(received.files);
      const found = findPredictions(received);
      return { document: 'file' in found ? found.file : null };
    }),
  read: (received, document) => orFault(() => readRobovision(received, document)),
  images: ({ image, masks }) => [image, ...masks.map(({ file }) => file)].filter((file) => file !== null),
};

function readRobovision(received: Received, given: PayloadDocument | null): Payload {
  refusePaths(received.files);
  const document = given === null ? fieldDocument(received) : parseDocument(given.bytes, given.file.name);
  const kind = readKind(document);
  const masked = readPredictions(document, kind);
  const masks = tieMasks(masked, received.files);
  return {
    kind: `robovision.${kind}`,
    source: 'robovision',
    item: { ...NO_ITEM },
    image: findImage(received.files, masks),
    predictions: masked.map(({ prediction }) => prediction),
    masks,
    document: given === null ? null : given.file,
    metadata: null,
    has_annotations: true,
    omits_outlines: false,
  };
}

/** A part without a file name is a form field: decoded already if it was sent as JSON, else text. */
function fieldDocument(received: Received): JsonCursor {
  const found = findPredictions(received);
  if ('file' in found) return new JsonCursor(null, found.file.name).refuse('must be given with its bytes');
  const { field, value } = found;
  return typeof value === 'string' ? parseDocument(new TextEncoder().encode(value), field) : new JsonCursor(value, field);
}

function readPredictions(document: JsonCursor, kind: RobovisionKind): MaskedPrediction[] {
  if (kind === 'image_classification') return [{ prediction: readLabel(document), mask: null }];
  const list =
    findList(document) ?? document.refuse(`must have a list of its ${kind.replace('_', ' ')} results, such as "${LIST_OF[kind]}"`);
  const items = list.items();
  refuseTooMany(list.path, items.length);
  return items.map(READERS[kind]);
}

const LIST_OF = {
  object_detection: 'objects',
  multilabel_classification: 'labels',
  instance_segmentation: 'instances',
  semantic_segmentation: 'segments',
};

const READERS: Record<keyof typeof LIST_OF, (item: JsonCursor) => MaskedPrediction> = {
  object_detection: (item) => ({
    prediction: { ...readLabel(item), type: 'bounding_box', bounding_box: readBox(item.firstOf(BOX_KEYS)) },
    mask: null,
  }),
  multilabel_classification: (item) => ({ prediction: readLabel(item), mask: null }),
  instance_segmentation: readMasked,
  semantic_segmentation: readMasked,
};

function readMasked(item: JsonCursor): MaskedPrediction {
  const prediction: Prediction = { ...readLabel(item), type: 'mask', bounding_box: readBoxIfAny(item.firstOf(BOX_KEYS)) };
  const mask = item.at('mask');
  if (typeof mask.value !== 'string' || mask.value === '') mask.refuse('must be the file name of a mask, such as "mask_0000.png"');
  return { prediction, mask };
}

function readLabel(item: JsonCursor): Prediction {
  const name = item.firstOf(CLASS_KEYS);
  const className = name.textIfAny() ?? name.refuse('must be the name of a class');
  return makePrediction({ class: className, type: 'label', confidence: item.at('confidence').confidence() });
}
