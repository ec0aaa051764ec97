// Overflow policies: what to do with messages that arrive faster than the receiver accepts them.

/**
 * `queue`: all wait. `latest_wins`: only the newest of a key waits; older ones not yet in flight are dropped. `reject`:
 * a new message is dropped when `limit` messages are queued or in flight.
 */
export type Overflow = { policy: 'queue' } | { policy: 'latest_wins'; key: string } | { policy: 'reject'; limit: number };

/** Deliveries of one group are subject to the policy together. */
export type OverflowGroup = { policy: 'latest_wins'; group: string } | { policy: 'reject'; group: string; limit: number };

/** Null when the policy never drops a message. */
export function overflowGroup(overflow: Overflow | undefined, sinkId: string, step: string): OverflowGroup | null {
  switch (overflow?.policy) {
    case undefined:
    case 'queue':
      return null;
    case 'latest_wins':
      return { policy: 'latest_wins', group: JSON.stringify([sinkId, step, overflow.key]) };
    case 'reject':
      return { policy: 'reject', group: JSON.stringify([sinkId, step]), limit: overflow.limit };
  }
}
