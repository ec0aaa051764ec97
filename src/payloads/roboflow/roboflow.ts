// The format of Roboflow's Webhook Sink block. The author of the Roboflow workflow chooses the body, so predictions are
// found by the shape of a model's response. A body without such a response has no predictions and is valid.

import type { FileHandle } from '../../core/run/request.ts';
import { orFault } from '../bad-payload.ts';
import type { PayloadDocument, PayloadFormat, Received } from '../format.ts';
import { claimedKind } from '../images/check-image.ts';
import { JsonCursor } from '../json-cursor.ts';
import { parseDocument, refuseBody } from '../json-document.ts';
import { MAX_POINTS, refuseTooMany } from '../limits.ts';
import { type Mask, NO_ITEM, type Payload, type Prediction } from '../payload.ts';
import { findResponses } from './roboflow-predictions.ts';

export const roboflow: PayloadFormat = {
  source: 'roboflow',
  locate: (received) => orFault(() => ({ document: formOf(received) === 'json' ? bodyOf(received) : findDocument(received.files) })),
  read: (received, document) => orFault(() => readRoboflow(received, document)),
  images: () => [],
};

function readRoboflow(received: Received, document: PayloadDocument | null): Payload {
  const form = formOf(received);
  const responses = findResponses(form === 'json' ? readBody(document) : readForm(received, document));
  const found = responses.flatMap((response) => response.predictions);
  refuseTooMany(form === 'json' ? 'body' : 'predictions', found.length);
  const points = found.reduce((count, { polygon }) => count + (polygon ?? []).flat().length, 0);
  const omitsOutlines = points > MAX_POINTS;
  const predictions = omitsOutlines ? found.map((prediction) => ({ ...prediction, polygon: null })) : found;
  const size = responses.find(({ width, height }) => width !== null && height !== null);
  return {
    kind: `roboflow.${form}`,
    source: 'roboflow',
    item: { ...NO_ITEM, width: size?.width ?? null, height: size?.height ?? null },
    image: form === 'multipart' ? findImage(received.files) : null,
    predictions,
    masks: tieMasks(predictions),
    document: document?.file ?? null,
    metadata: null,
    has_annotations: responses.length > 0,
    omits_outlines: omitsOutlines,
  };
}

/** Each mask belongs to one prediction; its numbers stay in the document. */
function tieMasks(predictions: readonly Prediction[]): Mask[] {
  const masks: Mask[] = [];
  for (const [index, prediction] of predictions.entries()) {
    if (prediction.type !== 'mask') continue;
    prediction.mask = masks.push({ name: null, file: null, class: prediction.class, predictions: [index] }) - 1;
  }
  return masks;
}

function bodyOf({ files }: Received): FileHandle | null {
  return files.find(({ name }) => name === 'body') ?? null;
}

/** A received body is JSON here, whatever its content type says. */
function formOf(received: Received): 'json' | 'form' | 'multipart' {
  const type = received.content_type?.split(';')[0]?.trim().toLowerCase();
  if (type === 'multipart/form-data') return 'multipart';
  if (bodyOf(received) !== null) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  return refuseBody(received.content_type, 'must be a JSON document, a URL-encoded form or a multipart form');
}

function readBody(document: PayloadDocument | null): JsonCursor {
  const body = document === null ? new JsonCursor(null, 'body') : parseDocument(document.bytes, 'body');
  return body.isObject ? body : body.refuse('must be a JSON object, as the Webhook Sink block sends it');
}

/** Merges fields and document into one object. Text that is not JSON becomes null, which has no predictions. */
function readForm({ fields }: Received, document: PayloadDocument | null): JsonCursor {
  const values = new Map(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? readText(value) : value]));
  if (document !== null) values.set(document.file.name, readText(document.bytes));
  return new JsonCursor(Object.fromEntries(values), 'body');
}

function readText(text: string | Uint8Array): unknown {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const document = orFault(() => parseDocument(bytes, 'body'));
  return document instanceof JsonCursor ? document.value : null;
}

function findDocument(files: readonly FileHandle[]): FileHandle | null {
  const isNamed = ({ name, filename, content_type }: FileHandle): boolean =>
    name === 'predictions' || /\.json$/i.test(filename ?? '') || content_type.startsWith('application/json');
  return files.find((file) => isNamed(file) && claimedKind(file) === null) ?? null;
}

/** The block gives a file its field's name and no content type, so a file in the field `image` counts as the image. */
function findImage(files: readonly FileHandle[]): FileHandle | null {
  return files.find((file) => claimedKind(file) !== null) ?? files.find(({ name }) => name === 'image') ?? null;
}
