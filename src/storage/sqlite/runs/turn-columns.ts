// A turn of a run on its way to the writer thread.

import { isTerminal } from '../../../core/run/run.ts';
import { LEASE_MS } from '../../../leases/lease.ts';
import type { Turn } from '../../runs/run-records.ts';
import { packDeliveries } from '../deliveries/delivery-columns.ts';
import type { Stamp } from '../stamp.ts';
import { beside, table } from '../table.ts';
import { packEvents } from './event-columns.ts';
import { jsonOf, stepRecords } from './step-columns.ts';

export interface StampedTurn {
  turn: Turn;
  stamp: Stamp;
}

/** The columns that every commit of a run writes, from the creating one on. */
export const CHANGED_COLUMNS = {
  status: ({ turn }: StampedTurn) => turn.status,
  progress: ({ turn }: StampedTurn) => turn.progress,
  finished_at: ({ turn }: StampedTurn) => (isTerminal(turn.status) ? turn.at : null),
  wake_at: ({ turn, stamp }: StampedTurn) => (turn.status === 'running' ? stamp.now + LEASE_MS : turn.wakeAt),
  last_seq: ({ turn }: StampedTurn) => turn.lastSeq,
  output: ({ turn }: StampedTurn) => turn.output,
  error: ({ turn }: StampedTurn) => jsonOf(turn.error),
  owner: ({ stamp }: StampedTurn) => stamp.owner,
};

export const turns = table<StampedTurn>('runs').columns({
  now: beside(({ stamp }) => stamp.now),
  at: beside(({ turn }) => turn.at),
  /** 0 if the turn has no event. */
  firstSeq: beside(({ turn }) => turn.events[0]?.seq ?? 0),
  events: beside(({ turn }) => packEvents(turn.events)),
  steps: beside(({ turn }) => turn.steps.map((record) => stepRecords.pack(record))),
  deliveries: beside(({ turn, stamp }) => packDeliveries(turn.deliveries, turn.at, stamp)),
  memory: beside(({ turn }) => (turn.memory.length === 0 ? null : turn.memory)),
  ...CHANGED_COLUMNS,
});
