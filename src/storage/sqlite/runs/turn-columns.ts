// A turn of a run on its way to the writer thread.

import { isTerminal } from '../../../core/run/run.ts';
import type { NewRun } from '../../run-records.ts';
import { packDeliveries } from '../deliveries/delivery-columns.ts';
import { beside, table } from '../table.ts';
import { packEvents } from './event-columns.ts';
import { jsonOf, stepRecords } from './step-columns.ts';

type Source = Pick<NewRun, 'turn'>;

/** The columns that every commit of a run writes, from the creating one on. */
export const CHANGED_COLUMNS = {
  status: ({ turn }: Source) => turn.status,
  progress: ({ turn }: Source) => turn.progress,
  finished_at: ({ turn }: Source) => (isTerminal(turn.status) ? turn.at : null),
  wake_at: ({ turn }: Source) => turn.wakeAt,
  last_seq: ({ turn }: Source) => turn.lastSeq,
  output: ({ turn }: Source) => turn.output,
  error: ({ turn }: Source) => jsonOf(turn.error),
};

export const turns = table<Source>('runs').columns({
  at: beside(({ turn }) => turn.at),
  /** 0 if the turn has no event. */
  firstSeq: beside(({ turn }) => turn.events[0]?.seq ?? 0),
  events: beside(({ turn }) => packEvents(turn.events)),
  steps: beside(({ turn }) => turn.steps.map((record) => stepRecords.pack(record))),
  deliveries: beside(({ turn }) => packDeliveries(turn.deliveries, turn.at)),
  memory: beside(({ turn }) => (turn.memory.length === 0 ? null : turn.memory)),
  ...CHANGED_COLUMNS,
});
