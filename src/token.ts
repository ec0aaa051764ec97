// Bearer tokens: only their hashes are stored, and they are compared in constant time.

import { createHash, timingSafeEqual } from 'node:crypto';

/** Lower-case hex SHA-256. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** True when one of the hashes is the token's. Compares all of them, for constant time. */
export function tokenMatches(token: string, hashes: readonly string[]): boolean {
  const presented = createHash('sha256').update(token).digest();
  let matches = false;
  for (const hash of hashes) matches = timingSafeEqual(presented, Buffer.from(hash, 'hex')) || matches;
  return matches;
}
