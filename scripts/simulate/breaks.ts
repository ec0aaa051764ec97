// Faults that can be built into the storage and the watchers on purpose, to show that the simulation finds them.

export const BREAKS = {
  'lease-check': 'claims take work that another owner has leased',
  'lost-wake-up': 'a delivery that ends while its run takes a turn does not make the run due',
  'forgotten-fence': 'a turn is stored although its lease is stale',
  'lost-place': 'flow control does not count the runs that are in flight',
  'lost-request': 'a batch starts without the request that makes it full',
  'lost-cooldown': 'flow control skips no run in a cooldown',
  'lost-item': 'a claim forgets the items of a list that have ended',
  'skipped-re-read': 'a watcher does not read the run again after a hint or a second',
} as const;

export type Break = keyof typeof BREAKS;

export function isBreak(name: string): name is Break {
  return Object.hasOwn(BREAKS, name);
}
