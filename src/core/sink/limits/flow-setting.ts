// When the runs of a sink may start: the field `flow`.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';
import { type BatchDocument, type BatchSetting, batchSchema, readBatch, UNFIT_BESIDE_BATCH, writeBatch } from './batch-setting.ts';

const FLOW_OVERFLOWS = ['queue', 'reject', 'latest_wins', 'drop'] as const;
/** What happens to a run that cannot start. */
export type FlowOverflow = (typeof FLOW_OVERFLOWS)[number];

export interface FlowSetting {
  /** The most runs that are in flight. Null: any number. */
  maxConcurrent: number | null;
  /** Selects the key whose runs follow one another. Null: runs have no order. */
  orderingKey: string | null;
  overflow: FlowOverflow;
  /** The most runs that are held. */
  queueLimit: number;
  /** A run waits for so much time without a later run of its key. `maxSeconds`: the longest wait in all; null for any. */
  debounce: { seconds: number; maxSeconds: number | null } | null;
  /** Requests are collected, and one run has them all. */
  batch?: BatchSetting;
  /** After an accepted run, further runs of its key are skipped for so long. `key`: null for the ordering key, or none. */
  cooldown?: { seconds: number; key: string | null };
}

const DEFAULT_QUEUE_LIMIT = 1000;
const MAX_CONCURRENT = 1000;
const MAX_QUEUE = 10_000;
const MAX_DEBOUNCE_SECONDS = 86_400;
const MAX_DEBOUNCE_TOTAL_SECONDS = 604_800;
const MAX_COOLDOWN_SECONDS = 604_800;

export interface FlowDocument {
  max_concurrent?: number;
  ordering_key?: string;
  overflow?: FlowOverflow;
  queue_limit?: number;
  debounce?: { seconds: number; max_seconds?: number };
  batch?: BatchDocument;
  cooldown?: { seconds: number; key?: string };
}

export const flowSchema: JsonSchema = {
  type: ['object', 'null'],
  additionalProperties: false,
  description: 'when the runs of the sink may start; null for at once',
  properties: {
    max_concurrent: { type: 'integer', minimum: 1, maximum: MAX_CONCURRENT, description: 'the most runs that are in flight' },
    ordering_key: {
      type: 'string',
      description: 'a selector of the request, as "$request.body.customer": runs with the same value follow one another',
    },
    overflow: { type: 'string', enum: [...FLOW_OVERFLOWS], description: 'what happens to a run that cannot start; "queue" by default' },
    queue_limit: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_QUEUE,
      description: `the most runs that are held; ${DEFAULT_QUEUE_LIMIT} by default`,
    },
    debounce: {
      type: 'object',
      required: ['seconds'],
      additionalProperties: false,
      properties: {
        seconds: { type: 'number', minimum: 0.1, maximum: MAX_DEBOUNCE_SECONDS, description: 'a run starts after so many quiet seconds' },
        max_seconds: { type: 'number', minimum: 0.1, maximum: MAX_DEBOUNCE_TOTAL_SECONDS, description: 'and at the latest after so many' },
      },
    },
    batch: batchSchema,
    cooldown: {
      type: 'object',
      required: ['seconds'],
      additionalProperties: false,
      description: 'how long runs are skipped after an accepted one, as {"seconds": 60}',
      properties: {
        seconds: { type: 'number', minimum: 0.1, maximum: MAX_COOLDOWN_SECONDS },
        key: { type: 'string', description: 'a selector of the request, as "$request.body.camera": each value has a cooldown of its own' },
      },
    },
  },
};

/** `selectorFault` checks the selectors of keys. */
export function flowFaults(flow: FlowDocument | null | undefined, selectorFault: (text: string) => string | null): Fault[] {
  if (flow === undefined || flow === null) return [];
  const { max_concurrent: limit, ordering_key: orderingKey, overflow = 'queue', queue_limit: queueLimit, debounce, batch, cooldown } = flow;
  const faults: Fault[] = [];
  if ([limit, orderingKey, debounce, batch, cooldown].every((setting) => setting === undefined))
    faults.push({ path: 'flow', message: 'must have "max_concurrent", "ordering_key", "debounce", "batch" or "cooldown"' });
  for (const [path, key] of [
    ['flow.ordering_key', orderingKey],
    ['flow.batch.key', batch?.key],
    ['flow.cooldown.key', cooldown?.key],
  ] as const) {
    const keyFault = key === undefined ? null : selectorFault(key);
    if (keyFault !== null) faults.push({ path, message: keyFault });
  }
  if (batch !== undefined)
    for (const [field, message] of Object.entries(UNFIT_BESIDE_BATCH))
      if (Object.hasOwn(flow, field)) faults.push({ path: `flow.${field}`, message });
  if (debounce !== undefined && flow.overflow !== undefined)
    faults.push({ path: 'flow.overflow', message: 'cannot stand beside debounce, by which a later run replaces the held one' });
  if (queueLimit !== undefined && (overflow === 'reject' || overflow === 'drop'))
    faults.push({ path: 'flow.queue_limit', message: `cannot stand beside "overflow": "${overflow}", which holds no run` });
  if (debounce?.max_seconds !== undefined && debounce.max_seconds < debounce.seconds)
    faults.push({ path: 'flow.debounce.max_seconds', message: `must be at least the ${debounce.seconds} of seconds` });
  if (cooldown !== undefined && debounce !== undefined)
    faults.push({ path: 'flow.cooldown', message: 'cannot stand beside debounce; choose one of them' });
  if (cooldown?.key !== undefined && orderingKey !== undefined)
    faults.push({ path: 'flow.cooldown.key', message: 'cannot stand beside ordering_key, which is the key of the cooldown too' });
  return faults;
}

/** The selector of what runs have in common that flow control counts together. Null: nothing, and all runs of the sink are counted. */
export function flowKeySelector({ orderingKey, batch, cooldown }: FlowSetting): string | null {
  return orderingKey ?? batch?.key ?? cooldown?.key ?? null;
}

/** Reads a field without faults. */
export function readFlowSetting(flow: FlowDocument | null | undefined): FlowSetting | undefined {
  if (flow === undefined || flow === null) return undefined;
  const { debounce, batch, cooldown } = flow;
  return {
    maxConcurrent: flow.max_concurrent ?? null,
    orderingKey: flow.ordering_key ?? null,
    overflow: flow.overflow ?? 'queue',
    queueLimit: flow.queue_limit ?? DEFAULT_QUEUE_LIMIT,
    debounce: debounce === undefined ? null : { seconds: debounce.seconds, maxSeconds: debounce.max_seconds ?? null },
    ...(batch === undefined ? {} : { batch: readBatch(batch) }),
    ...(cooldown === undefined ? {} : { cooldown: { seconds: cooldown.seconds, key: cooldown.key ?? null } }),
  };
}

/** The field as definitions write it. */
export function writeFlowSetting(flow: FlowSetting): FlowDocument {
  const { maxConcurrent, orderingKey, overflow, queueLimit, debounce, batch, cooldown } = flow;
  return {
    ...(maxConcurrent === null ? {} : { max_concurrent: maxConcurrent }),
    ...(orderingKey === null ? {} : { ordering_key: orderingKey }),
    ...(overflow === 'queue' ? {} : { overflow }),
    ...(queueLimit === DEFAULT_QUEUE_LIMIT ? {} : { queue_limit: queueLimit }),
    ...(debounce === null
      ? {}
      : { debounce: { seconds: debounce.seconds, ...(debounce.maxSeconds === null ? {} : { max_seconds: debounce.maxSeconds }) } }),
    ...(batch === undefined ? {} : { batch: writeBatch(batch) }),
    ...(cooldown === undefined ? {} : { cooldown: { seconds: cooldown.seconds, ...(cooldown.key === null ? {} : { key: cooldown.key }) } }),
  };
}
