// When the runs of a sink may start: the field `flow`.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';

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
}

const DEFAULT_QUEUE_LIMIT = 1000;
const MAX_CONCURRENT = 1000;
const MAX_QUEUE = 10_000;
const MAX_DEBOUNCE_SECONDS = 86_400;
const MAX_DEBOUNCE_TOTAL_SECONDS = 604_800;

export interface FlowDocument {
  max_concurrent?: number;
  ordering_key?: string;
  overflow?: FlowOverflow;
  queue_limit?: number;
  debounce?: { seconds: number; max_seconds?: number };
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
  },
};

/** `selectorFault` checks the ordering key. */
export function flowFaults(flow: FlowDocument | null | undefined, selectorFault: (text: string) => string | null): Fault[] {
  if (flow === undefined || flow === null) return [];
  const { max_concurrent: limit, ordering_key: key, overflow = 'queue', queue_limit: queueLimit, debounce } = flow;
  const faults: Fault[] = [];
  if (limit === undefined && key === undefined && debounce === undefined)
    faults.push({ path: 'flow', message: 'must have "max_concurrent", "ordering_key" or "debounce"' });
  const keyFault = key === undefined ? null : selectorFault(key);
  if (keyFault !== null) faults.push({ path: 'flow.ordering_key', message: keyFault });
  if (debounce !== undefined && flow.overflow !== undefined)
    faults.push({ path: 'flow.overflow', message: 'cannot stand beside debounce, by which a later run replaces the held one' });
  if (queueLimit !== undefined && (overflow === 'reject' || overflow === 'drop'))
    faults.push({ path: 'flow.queue_limit', message: `cannot stand beside "overflow": "${overflow}", which holds no run` });
  if (debounce?.max_seconds !== undefined && debounce.max_seconds < debounce.seconds)
    faults.push({ path: 'flow.debounce.max_seconds', message: `must be at least the ${debounce.seconds} of seconds` });
  return faults;
}

/** Reads a field without faults. */
export function readFlowSetting(flow: FlowDocument | null | undefined): FlowSetting | undefined {
  if (flow === undefined || flow === null) return undefined;
  const { debounce } = flow;
  return {
    maxConcurrent: flow.max_concurrent ?? null,
    orderingKey: flow.ordering_key ?? null,
    overflow: flow.overflow ?? 'queue',
    queueLimit: flow.queue_limit ?? DEFAULT_QUEUE_LIMIT,
    debounce: debounce === undefined ? null : { seconds: debounce.seconds, maxSeconds: debounce.max_seconds ?? null },
  };
}

/** The field as definitions write it. */
export function writeFlowSetting({ maxConcurrent, orderingKey, overflow, queueLimit, debounce }: FlowSetting): FlowDocument {
  return {
    ...(maxConcurrent === null ? {} : { max_concurrent: maxConcurrent }),
    ...(orderingKey === null ? {} : { ordering_key: orderingKey }),
    ...(overflow === 'queue' ? {} : { overflow }),
    ...(queueLimit === DEFAULT_QUEUE_LIMIT ? {} : { queue_limit: queueLimit }),
    ...(debounce === null
      ? {}
      : { debounce: { seconds: debounce.seconds, ...(debounce.maxSeconds === null ? {} : { max_seconds: debounce.maxSeconds }) } }),
  };
}
