// What becomes of messages that a receiver does not take as fast as they come.

/**
 * `queue`: all wait. `latest_wins`: of one key only the newest waits, and the older ones that have not begun to be sent
 * are dropped. `reject`: where so many wait or are being sent, a new one is dropped.
 */
export type Overflow = { policy: 'queue' } | { policy: 'latest_wins'; key: string } | { policy: 'reject'; limit: number };

/** Deliveries of one group are subject to the policy together. */
export type OverflowGroup = { policy: 'latest_wins'; group: string } | { policy: 'reject'; group: string; limit: number };

/** Null where nothing is ever dropped. */
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
