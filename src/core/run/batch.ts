// Batches: the requests that a sink has collected for one run. The body of a batch is the list of their bodies as JSON, and its
// head has the list of their heads.

import { parseJson, stringifyJson } from '../json/json.ts';
import type { Request, RequestBody, RequestHead } from './request.ts';

/** Of the request and the body of a batch together, unless a single request is larger. */
export const MAX_BATCH_BYTES = 2 ** 20;

/** Its request and body as they are stored. */
export interface StoredBatch {
  /** JSON text of the RequestHead. */
  request: string;
  body: Uint8Array;
}

/** A batch of one request, which has no files. */
export function batchOf({ body, files: _, batch: _none, schedule: _never, ...collected }: Request): {
  head: RequestHead;
  body: RequestBody;
  request: Request;
} {
  const { method, path, received_at } = collected;
  const head: RequestHead = {
    method,
    path,
    params: {},
    query: {},
    // For a step that passes the body on.
    headers: { 'content-type': 'application/json' },
    content_type: 'application/json',
    files: [],
    client_ip: '',
    received_at,
    batch: [collected],
  };
  const bytes = Buffer.from(stringifyJson([body]));
  return { head, body: { kind: 'batch', bytes, charset: 'utf-8' }, request: { ...head, body: [body] } };
}

/** One batch of all requests, in order. */
export function joinBatches(batches: readonly StoredBatch[]): StoredBatch {
  const heads = batches.map(({ request }) => parseJson(request) as RequestHead);
  const lists = batches.flatMap(({ body }, index) => [...(index === 0 ? [] : [COMMA]), body.subarray(1, -1)]);
  return {
    request: stringifyJson({ ...heads[0], batch: heads.flatMap(({ batch = [] }) => batch) }),
    body: Buffer.concat([OPEN, ...lists, CLOSE]),
  };
}

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
