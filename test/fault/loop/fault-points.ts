// The points at which a file call can fail: which call, how, from the n-th on, and for how long.

import { constants } from 'node:os';

const { EIO, ENOSPC, EMFILE, ENOMEM } = constants.errno;

/** In the order of `enum call` in fault-library.c, where 0 is none. */
export const CALLS = ['open', 'read', 'write', 'sync', 'truncate', 'rename', 'unlink', 'mkdir', 'map', 'close'] as const;
export type Call = (typeof CALLS)[number];

/** `short`: half of the bytes are written, without an error. `torn`: half of them, and then the disk is full. */
const FAULTS = {
  EIO: { error: EIO, isCut: false },
  ENOSPC: { error: ENOSPC, isCut: false },
  EMFILE: { error: EMFILE, isCut: false },
  ENOMEM: { error: ENOMEM, isCut: false },
  short: { error: 0, isCut: true },
  torn: { error: ENOSPC, isCut: true },
} as const;
export type FaultName = keyof typeof FAULTS;

/** `once`: later calls succeed. `always`: all later calls fail too. */
export type Duration = 'once' | 'always';

/** The points of one loop: all calls of one kind, each failing in the same way. */
export interface Series {
  call: Call;
  fault: FaultName;
  duration: Duration;
}

export interface FaultPoint extends Series {
  /** From 1. */
  nth: number;
}

/** `n` is counted up in each of these. A torn write is worse than one that fails with ENOSPC at once. */
const SERIES: Record<Call, readonly [FaultName, Duration][]> = {
  open: both('EIO', 'ENOSPC', 'EMFILE'),
  read: [['EIO', 'once']],
  write: [['EIO', 'once'], ...both('torn'), ['short', 'once']],
  sync: both('EIO', 'ENOSPC'),
  truncate: both('EIO', 'ENOSPC'),
  rename: both('EIO', 'ENOSPC'),
  unlink: both('EIO'),
  mkdir: both('EIO', 'ENOSPC'),
  map: [['ENOMEM', 'once']],
  close: [['EIO', 'once']],
};

export function seriesOf(call: Call): Series[] {
  return SERIES[call].map(([fault, duration]) => ({ call, fault, duration }));
}

function both(...faults: FaultName[]): [FaultName, Duration][] {
  return faults.flatMap((fault): [FaultName, Duration][] => [
    [fault, 'once'],
    [fault, 'always'],
  ]);
}

/** The point as `struct control` of fault-library.c, with its counters at zero. */
export function controlOf({ call, fault, duration, nth }: FaultPoint): Int32Array<ArrayBuffer> {
  const { error, isCut } = FAULTS[fault];
  const atLeast = isCut && error !== 0 ? 2 : 1;
  return Int32Array.of(CALLS.indexOf(call) + 1, nth, duration === 'always' ? 0 : atLeast, error, isCut ? 1 : 0, 0, 0);
}
