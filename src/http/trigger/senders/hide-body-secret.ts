// Hides the shared secret that a sender puts into its body: it is neither stored nor shown to a workflow.

import { stringifyJson } from '../../../core/json/json.ts';
import { MASKED_SECRET } from '../../../core/secrets/placeholder.ts';
import type { Place } from '../../../presets/preset.ts';
import type { TriggerInput } from '../trigger-input.ts';

/** `place` is in the body. The body is stored as new JSON text, since the sender may have escaped its secret in any form. */
export function hideBodySecret(input: TriggerInput, place: Place): TriggerInput {
  // A body too large to decode at once cannot prove its sender in this way.
  if (input.request === null) return input;
  const body = masked(input.request.body, place.slice('body:'.length).split('.'));
  return {
    ...input,
    body: { kind: 'json', bytes: Buffer.from(stringifyJson(body)), charset: 'utf-8' },
    request: { ...input.request, body },
  };
}

function masked(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return MASKED_SECRET;
  if (Array.isArray(value)) return value.map((item, index) => (key === '*' || key === String(index) ? masked(item, rest) : item));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
  return { ...value, [key]: masked((value as Record<string, unknown>)[key], rest) };
}
