// The key that orders the runs of a sink with flow control: a hash, because a request may select anything.

import { createHash } from 'node:crypto';
import { stringifyJson } from '../../json/json.ts';

/** Without a value, all runs have one key. */
export function flowKeyOf(value: unknown): string {
  return createHash('sha256')
    .update(stringifyJson(value ?? null))
    .digest('base64url');
}
