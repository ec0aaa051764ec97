// The origins whose scripts may read the answers of a sink: the field `cors`.

import { parseUrl } from '../../parse-url.ts';
import type { Fault } from '../fault.ts';
import type { JsonSchema } from '../schema.ts';

export interface CorsSetting {
  /** `*` alone stands for all. */
  origins: readonly string[];
  /** How long a browser may keep the answer to a preflight. */
  maxAgeSeconds: number;
}

export interface CorsDocument {
  origins: string[];
  max_age_seconds?: number;
}

const DEFAULT_MAX_AGE = 600;

export const corsSchema: JsonSchema = {
  type: 'object',
  required: ['origins'],
  additionalProperties: false,
  description: 'origins whose scripts may read the answers: { "origins": ["https://example.org"] }, or ["*"] for all',
  properties: {
    origins: { type: 'array', minItems: 1, maxItems: 64, items: { type: 'string', maxLength: 255 } },
    max_age_seconds: { type: 'integer', minimum: 0, maximum: 86_400 },
  },
};

export function corsFaults({ origins }: CorsDocument): Fault[] {
  if (origins.length === 1 && origins[0] === '*') return [];
  return origins.flatMap((origin, index) => {
    const message = originFault(origin);
    return message === null ? [] : [{ path: `cors.origins[${index}]`, message }];
  });
}

function originFault(text: string): string | null {
  if (text === '*') return '"*" allows all origins, so no other may stand beside it';
  const url = /^https?:/i.test(text) ? parseUrl(text) : null;
  if (url?.origin === text) return null;
  return `"${text}" is not an origin; write ${url === null ? 'scheme and host, as "https://example.org"' : `"${url.origin}"`}`;
}

export function readCorsSetting({ origins, max_age_seconds: maxAgeSeconds = DEFAULT_MAX_AGE }: CorsDocument): CorsSetting {
  return { origins, maxAgeSeconds };
}

export function writeCorsSetting({ origins, maxAgeSeconds }: CorsSetting): object {
  return { origins, ...(maxAgeSeconds === DEFAULT_MAX_AGE ? {} : { max_age_seconds: maxAgeSeconds }) };
}
