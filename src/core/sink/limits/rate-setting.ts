// How many requests a sink accepts: the field `rate`, with a limit for each client, for all together, or both.

import type { JsonSchema } from '../../schema.ts';

export interface Rate {
  perSecond: number;
  /** The size of the bucket: requests that may come at once, after a time without any. */
  burst: number;
}

export interface SinkRate {
  client?: Rate;
  sink?: Rate;
}

interface RateDocument {
  per_second: number;
  burst?: number;
}

export type SinkRateDocument = { client?: RateDocument; sink?: RateDocument } | null;

const rate: JsonSchema = {
  type: 'object',
  required: ['per_second'],
  additionalProperties: false,
  properties: {
    per_second: { type: 'number', minimum: 0.001, maximum: 1_000_000 },
    burst: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  },
};

export const rateSchema: JsonSchema = {
  type: ['object', 'null'],
  description: 'requests that are accepted, as {"client": {"per_second": 5, "burst": 20}, "sink": {"per_second": 100}}',
  minProperties: 1,
  additionalProperties: false,
  properties: { client: rate, sink: rate },
};

/** Undefined when the sink has no rate of its own. */
export function readRate(document: SinkRateDocument | undefined): SinkRate | undefined {
  if (document === undefined || document === null) return undefined;
  const { client, sink } = document;
  return { ...(client === undefined ? {} : { client: readOne(client) }), ...(sink === undefined ? {} : { sink: readOne(sink) }) };
}

export function writeRate({ client, sink }: SinkRate): NonNullable<SinkRateDocument> {
  return { ...(client === undefined ? {} : { client: writeOne(client) }), ...(sink === undefined ? {} : { sink: writeOne(sink) }) };
}

function readOne({ per_second: perSecond, burst = Math.ceil(perSecond) }: RateDocument): Rate {
  return { perSecond, burst };
}

function writeOne({ perSecond, burst }: Rate): RateDocument {
  return { per_second: perSecond, burst };
}
