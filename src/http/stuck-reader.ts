// How much is kept for a reader that does not take what it was sent, and for how long.

import type { ServerResponse } from 'node:http';

export const MAX_UNSENT_BYTES = 65_536;
export const MAX_BEHIND_MS = 30_000;

/** For an answer that was sent whole: a reader that takes nothing more of it for so long is let go. */
export function dropWhenStuck(response: ServerResponse, patienceMs = MAX_BEHIND_MS): void {
  if (response.writableLength > MAX_UNSENT_BYTES) response.setTimeout(patienceMs, () => response.destroy());
}
