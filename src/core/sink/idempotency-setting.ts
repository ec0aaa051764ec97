// What names a message of a sink, so that a repeated one starts no second run: the fields `idempotency_key` and `idempotency`.

import type { Fault } from '../fault.ts';
import type { JsonSchema } from '../schema.ts';

export const NO_IDEMPOTENCY = 'none';
export const DEFAULT_IDEMPOTENCY_HOURS = 24;
const MAX_HOURS = 720;

/** One of the four, or hours alone. */
export type IdempotencyDocument =
  | typeof NO_IDEMPOTENCY
  | { header?: string; body?: string; key?: string; preset?: true; keep_hours?: number };

export const idempotencySchema: JsonSchema = {
  description: '"none", or an object with one of "header", "body", "key" and "preset", and "keep_hours"',
  anyOf: [
    { const: NO_IDEMPOTENCY },
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        header: { type: 'string', pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$", description: 'must be the name of a header' },
        body: { type: 'string', pattern: '^[^\\s"$]{1,512}$', description: 'must be a path in the body, as "event.id"' },
        key: { type: 'string' },
        preset: { const: true },
        keep_hours: { type: 'integer', minimum: 1, maximum: MAX_HOURS },
      },
    },
  ],
};

interface Given {
  idempotency_key?: string;
  idempotency?: IdempotencyDocument;
}

export function idempotencyFaults({ idempotency_key: key, idempotency }: Given): Fault[] {
  if (idempotency === undefined) return [];
  if (key !== undefined) return [{ path: 'idempotency', message: 'cannot stand beside idempotency_key, which is its short form' }];
  const sources = idempotency === NO_IDEMPOTENCY ? [] : Object.keys(idempotency).filter((name) => name !== 'keep_hours');
  return sources.length > 1
    ? [{ path: 'idempotency', message: `must have one of ${sources.map((name) => `"${name}"`).join(' and ')}` }]
    : [];
}

export interface IdempotencySetting {
  idempotencyKey?: string | undefined;
  idempotencyHours?: number | undefined;
}

/** Reads fields without faults. */
export function readIdempotencySetting({ idempotency_key: idempotencyKey, idempotency }: Given): IdempotencySetting {
  if (idempotency === undefined) return { idempotencyKey };
  if (idempotency === NO_IDEMPOTENCY) return { idempotencyKey: NO_IDEMPOTENCY };
  const { header, body, key, keep_hours: idempotencyHours } = idempotency;
  if (header !== undefined) return { idempotencyKey: `$request.headers["${header.toLowerCase()}"]`, idempotencyHours };
  return { idempotencyKey: body === undefined ? key : `$request.body.${body}`, idempotencyHours };
}

/** The fields as definitions write them. */
export function writeIdempotencySetting({ idempotencyKey, idempotencyHours }: IdempotencySetting): object {
  if (idempotencyKey === NO_IDEMPOTENCY) return { idempotency: NO_IDEMPOTENCY };
  if (idempotencyHours !== undefined)
    return {
      idempotency: { ...(idempotencyKey === undefined ? { preset: true } : { key: idempotencyKey }), keep_hours: idempotencyHours },
    };
  return idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey };
}
