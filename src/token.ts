// Bearer tokens: only their hashes are kept, and comparing takes the same time whatever was presented.

import { createHash, timingSafeEqual } from 'node:crypto';

/** Lower-case hex SHA-256. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Whether the token is one of those with these hashes; looks at all of them. */
export function tokenMatches(token: string, hashes: readonly string[]): boolean {
  const presented = createHash('sha256').update(token).digest();
  let matches = false;
  for (const hash of hashes) matches = timingSafeEqual(presented, Buffer.from(hash, 'hex')) || matches;
  return matches;
}
