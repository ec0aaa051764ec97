// One credential of a sink in a definition: its text alone, or with a name for operators and the time at which it ends.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';

/** Maximum of one sink at a time: enough for rotation. */
export const MAX_CREDENTIALS = 16;

interface Credential {
  /** For operators. */
  name: string | null;
  /** Wall time in ms; null for a credential without an end. */
  endsAt: number | null;
}

/** A stored token: its lower-case hex SHA-256. */
export interface TokenHash extends Credential {
  hash: string;
}

export interface SealedSecret extends Credential {
  sealed: string;
}

export type CredentialDocument<Field extends string> = string | (Partial<Record<Field, string>> & { name?: string; ends_at?: string });

/** A list of credentials: each is the text, or an object with the text as `field`. */
export function credentialSchema(field: string, text: JsonSchema, alternatives: Record<string, JsonSchema> = {}): JsonSchema {
  return {
    type: 'array',
    minItems: 1,
    maxItems: MAX_CREDENTIALS,
    items: {
      if: { type: 'string' },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: text,
      else: {
        type: 'object',
        additionalProperties: false,
        properties: { [field]: text, ...alternatives, name: { type: 'string', minLength: 1, maxLength: 64 }, ends_at: { type: 'string' } },
      },
    },
  };
}

/** Faults beyond the schema. Each object gives its text as one of `fields`. */
export function credentialFaults(path: string, list: readonly CredentialDocument<string>[], fields: readonly string[]): Fault[] {
  const names = list.map((item) => (typeof item === 'string' ? undefined : item.name));
  return list.flatMap((item, index) => {
    if (typeof item === 'string') return [];
    const { name, ends_at: endsAt } = item;
    const faults: Fault[] = [];
    const given = fields.filter((field) => item[field] !== undefined);
    if (given.length !== 1)
      faults.push({ path: `${path}[${index}]`, message: `must have ${fields.map((field) => `"${field}"`).join(' or ')}` });
    if (endsAt !== undefined && Number.isNaN(readTime(endsAt)))
      faults.push({ path: `${path}[${index}].ends_at`, message: `"${endsAt}" is not a time; write it as 2027-01-31T12:00:00Z` });
    if (name !== undefined && names.indexOf(name) < index)
      faults.push({ path: `${path}[${index}].name`, message: `"${name}" is the name of another one` });
    return faults;
  });
}

/** Reads name and end of a credential without faults. */
export function readCredential(item: CredentialDocument<string>): Credential {
  if (typeof item === 'string') return { name: null, endsAt: null };
  return { name: item.name ?? null, endsAt: item.ends_at === undefined ? null : readTime(item.ends_at) };
}

/** The form for definitions; the text alone when it has neither name nor end. */
export function writeCredential({ name, endsAt }: Credential, field: string, text: string, isShort: boolean): CredentialDocument<string> {
  if (isShort && name === null && endsAt === null) return text;
  return { [field]: text, ...(name === null ? {} : { name }), ...(endsAt === null ? {} : { ends_at: new Date(endsAt).toISOString() }) };
}

/** RFC 3339; NaN for any other text. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function readTime(text: string): number {
  return TIME.test(text) ? Date.parse(text) : Number.NaN;
}
