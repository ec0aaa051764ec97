// A turn of a run on its way to the writer thread.

import { isTerminal } from '../../../core/run/run.ts';
import type { NewRun } from '../../run-records.ts';
import { packDeliveries } from '../deliveries/delivery-columns.ts';
import { beside, table } from '../table.ts';
import { packEvents } from './event-columns.ts';
import { jsonOf, stepRecords } from './step-columns.ts';

type Source = Pick<NewRun, 'change'>;

/** The columns that every commit of a run writes, from the creating one on. */
export const CHANGED_COLUMNS = {
  status: ({ change }: Source) => change.status,
  progress: ({ change }: Source) => change.progress,
  finished_at: ({ change }: Source) => (isTerminal(change.status) ? change.at : null),
  wake_at: ({ change }: Source) => change.wakeAt,
  last_seq: ({ change }: Source) => change.lastSeq,
  output: ({ change }: Source) => change.output,
  error: ({ change }: Source) => jsonOf(change.error),
};

export const turns = table<Source>('runs').columns({
  at: beside(({ change }) => change.at),
  /** 0 if the turn has no event. */
  firstSeq: beside(({ change }) => change.events[0]?.seq ?? 0),
  events: beside(({ change }) => packEvents(change.events)),
  steps: beside(({ change }) => change.steps.map((record) => stepRecords.pack(record))),
  deliveries: beside(({ change }) => packDeliveries(change.deliveries, change.at)),
  memory: beside(({ change }) => (change.memory.length === 0 ? null : change.memory)),
  ...CHANGED_COLUMNS,
});
