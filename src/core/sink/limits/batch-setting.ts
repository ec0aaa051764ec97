// How a sink collects requests for one run: the field `batch` of `flow`.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';

export interface BatchSetting {
  /** The run starts with so many requests, */
  size: number;
  /** or so many seconds after the first one. */
  seconds: number;
  /** Selects the key of a request; each key has a batch of its own. Null: all requests have one. */
  key: string | null;
}

export interface BatchDocument {
  size: number;
  seconds: number;
  key?: string;
}

export const batchSchema: JsonSchema = {
  type: 'object',
  required: ['size', 'seconds'],
  additionalProperties: false,
  description: 'requests that are collected for one run, as {"size": 100, "seconds": 5}',
  properties: {
    size: { type: 'integer', minimum: 2, maximum: 1000, description: 'the run starts with so many requests' },
    seconds: { type: 'number', minimum: 0.1, maximum: 86_400, description: 'or so many seconds after the first one' },
    key: { type: 'string', description: 'a selector of the request, as "$request.body.customer": each value has a batch of its own' },
  },
};

/** What cannot stand beside it in `flow`, and why. */
export const UNFIT_BESIDE_BATCH = {
  ordering_key: 'cannot stand beside batch; "max_concurrent": 1 runs the batches one after another',
  overflow: 'cannot stand beside batch, whose requests are all accepted',
  debounce: 'cannot stand beside batch; choose one of them',
  cooldown: 'cannot stand beside batch; choose one of them',
} as const;

interface Given {
  flow?: { batch?: BatchDocument } | null;
  response?: unknown;
  schedules?: readonly unknown[];
  split?: string;
  body?: unknown;
}

/** Checks what a sink with batches needs of the other fields. */
export function batchSinkFaults({ flow, response, schedules = [], split, body }: Given): Fault[] {
  if (flow?.batch === undefined) return [];
  const mode = typeof response === 'object' && response !== null ? (response as { mode: string }).mode : (response ?? 'accept');
  const answersAtOnce = mode === 'accept' || mode === 'redirect' || mode === 'form';
  return [
    ...(answersAtOnce
      ? []
      : [
          {
            path: 'response',
            message: `cannot be "${mode as string}" beside flow.batch: the answer is sent at once, as "accept", "redirect" or "form"`,
          },
        ]),
    ...(schedules.length === 0 ? [] : [{ path: 'schedules', message: 'cannot stand beside flow.batch, which collects requests' }]),
    ...(split === undefined ? [] : [{ path: 'split', message: 'cannot stand beside flow.batch, which does the reverse' }]),
    ...(body === 'raw' ? [{ path: 'body', message: 'cannot be "raw" beside flow.batch: a batch has no files' }] : []),
  ];
}

export function readBatch({ size, seconds, key }: BatchDocument): BatchSetting {
  return { size, seconds, key: key ?? null };
}

export function writeBatch({ size, seconds, key }: BatchSetting): BatchDocument {
  return { size, seconds, ...(key === null ? {} : { key }) };
}
