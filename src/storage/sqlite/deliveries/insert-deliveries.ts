// Stores the deliveries of a turn in the transaction of the turn.

import type { Database } from 'better-sqlite3';
import type { Packed } from '../table.ts';
import { deliveries, deliveryMessages } from './delivery-columns.ts';
import type { OverflowGroups } from './overflow.ts';

export type InsertDeliveries = (
  runNumber: number,
  owner: { appNo: number; sinkNo: number },
  packed: readonly Packed<typeof deliveries>[],
) => void;

export function createDeliveryInserter(database: Database, overflows: OverflowGroups): InsertDeliveries {
  const insert = deliveries.insert(database);
  const insertMessage = deliveryMessages.insert(database);
  return (runNumber, { appNo, sinkNo }, packed) => {
    for (const delivery of packed) {
      const no = insert({ run_id: runNumber, app_no: appNo, sink_no: sinkNo }, delivery).lastInsertRowid as number;
      const message = deliveries.read(delivery, 'message');
      insertMessage({ delivery_no: no, message, body: deliveries.read(delivery, 'body'), retry: deliveries.read(delivery, 'retry') });
      const overflow = deliveries.read(delivery, 'overflow');
      if (overflow !== null) overflows.enter(no, overflow, deliveries.read(delivery, 'now'));
    }
  };
}
