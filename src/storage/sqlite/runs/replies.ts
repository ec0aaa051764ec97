// Replies in SQLite: each is stored once, and makes the run due that waits for it.

import type { Database } from 'better-sqlite3';
import { isTerminal, type RunStatus } from '../../../core/run/run.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { FoundReply, NewReply, StoreReplyResult } from '../../reply-records.ts';
import type { Stamp } from '../stamp.ts';
import { given, type Packed, type Row, table } from '../table.ts';
import { toWorkflowReference } from './run-rows.ts';
import { stepRecords } from './step-columns.ts';

export const replies = table('replies').columns({
  run_id: given<number>(),
  reply_id: given<string>(),
  choice: given<string>(),
  body: given<string | null>(),
  replied_at: given<number>(),
});

type StoredReply = Pick<Row<typeof replies>, 'choice' | 'body'>;
type RunOfReply = { status: RunStatus; app_id: string; workflow_id: string | null; workflow_version: number | null };

export function createReplyOperations(database: Database) {
  const selectStatus = database.prepare('SELECT status FROM runs WHERE id = ? AND nonce = ?').pluck();
  const selectReply = prepareReply(database);
  const insert = replies.insert(database);
  const wakeRun = database.prepare(
    `UPDATE runs SET wake_at = @now WHERE id = @runNumber AND status = 'waiting'
       AND EXISTS (SELECT 1 FROM step_records WHERE run_id = @runNumber AND awaits = @replyId AND status = 'waiting')`,
  );

  return {
    storeReply({ now }: Stamp, { runId, replyId, choice, body }: NewReply): StoreReplyResult {
      const key = parseRunId(runId);
      const status = key && (selectStatus.get(key.runNumber, key.nonce) as RunStatus | undefined);
      if (!status) return { kind: 'ended' };
      const { runNumber } = key;
      const earlier = selectReply.get(runNumber, replyId) as StoredReply | undefined;
      if (earlier !== undefined) {
        return earlier.choice === choice && earlier.body === body ? { kind: 'stored' } : { kind: 'taken', choice: earlier.choice };
      }
      if (isTerminal(status)) return { kind: 'ended' };
      insert({ run_id: runNumber, reply_id: replyId, choice, body, replied_at: now });
      wakeRun.run({ now, runNumber, replyId });
      return { kind: 'stored' };
    },
  };
}

export function createReplyQueries(database: Database) {
  const selectReply = prepareReply(database);
  const selectRun = database.prepare(
    `SELECT runs.status, apps.id AS app_id, runs.workflow_id, runs.workflow_version
     FROM runs JOIN apps ON apps.no = runs.app_no WHERE runs.id = ? AND nonce = ?`,
  );
  return {
    findReply(runId: string, replyId: string): FoundReply | null {
      const key = parseRunId(runId);
      const run = key && (selectRun.get(key.runNumber, key.nonce) as RunOfReply | undefined);
      if (!run) return null;
      const reply = selectReply.get(key.runNumber, replyId) as StoredReply | undefined;
      const { status, app_id: appId } = run;
      return { appId, workflow: toWorkflowReference(run), isOver: isTerminal(status), choice: reply?.choice ?? null };
    },
  };
}

function prepareReply(database: Database) {
  return database.prepare('SELECT choice, body FROM replies WHERE run_id = ? AND reply_id = ?');
}

/** Whether one of these visits ends without a reply that it waited for and that is stored. */
export type MissesReply = (runNumber: number, steps: readonly Packed<typeof stepRecords>[]) => boolean;

export function createMissesReply(database: Database): MissesReply {
  const isStored = database.prepare('SELECT EXISTS (SELECT 1 FROM replies WHERE run_id = ? AND reply_id = ?)').pluck();
  return (runNumber, steps) =>
    steps.some((record) => {
      const awaits = stepRecords.read(record, 'awaits');
      return awaits !== null && stepRecords.read(record, 'finished_at') !== null && isStored.get(runNumber, awaits) === 1;
    });
}
