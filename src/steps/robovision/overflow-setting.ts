// The overflow policy in a manifest: `overflow`, and the settings of each policy.

import type { Overflow } from '../../core/delivery/overflow.ts';
import type { Fault } from '../../core/fault.ts';
import { ExactNumber } from '../../core/json/json.ts';
import type { JsonSchema } from '../../core/schema.ts';
import { SettingFault } from '../shared/setting-values.ts';

export interface OverflowManifest {
  overflow?: Overflow['policy'];
  overflow_key?: unknown;
  overflow_limit?: number;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const MAX_KEY_CHARACTERS = 200;

export const overflowProperties: Readonly<Record<string, JsonSchema>> = {
  overflow: {
    enum: ['queue', 'latest_wins', 'reject'],
    default: 'queue',
    description:
      'which messages are kept when the receiver is too slow: all (`queue`), the newest of each key (`latest_wins`), or up to a limit (`reject`)',
  },
  overflow_key: {
    type: ['string', 'number'],
    description: `for \`latest_wins\`: a message replaces a waiting message with the same key, such as "$inputs.camera_id"; up to ${MAX_KEY_CHARACTERS} characters`,
  },
  overflow_limit: {
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    description: `for \`reject\`: how many messages may wait or be in flight (${DEFAULT_LIMIT})`,
  },
};

export function overflowFaults({ overflow = 'queue', overflow_key: key, overflow_limit: limit }: OverflowManifest): Fault[] {
  const faults: Fault[] = [];
  const say = (path: string, message: string): void => void faults.push({ path, message });
  if (overflow === 'latest_wins' && key === undefined)
    say('overflow_key', 'is missing: "latest_wins" needs a key that says which messages replace each other, such as "$inputs.camera_id"');
  if (overflow !== 'latest_wins' && key !== undefined) say('overflow_key', `requires "overflow": "latest_wins", but it is "${overflow}"`);
  if (overflow !== 'reject' && limit !== undefined) say('overflow_limit', `requires "overflow": "reject", but it is "${overflow}"`);
  return faults;
}

/** Throws SettingFault for a selected key that is invalid. */
export function readOverflow({ overflow = 'queue', overflow_key: key, overflow_limit: limit }: OverflowManifest): Overflow {
  switch (overflow) {
    case 'queue':
      return { policy: 'queue' };
    case 'latest_wins':
      return { policy: 'latest_wins', key: readKey(key) };
    case 'reject':
      return { policy: 'reject', limit: Number(limit ?? DEFAULT_LIMIT) };
  }
}

function readKey(value: unknown): string {
  const isKey = typeof value === 'string' || typeof value === 'number' || value instanceof ExactNumber;
  const key = isKey ? String(value) : '';
  if (key === '' || key.length > MAX_KEY_CHARACTERS)
    throw new SettingFault(`overflow_key must be text of 1 to ${MAX_KEY_CHARACTERS} characters, or a number`);
  return key;
}
