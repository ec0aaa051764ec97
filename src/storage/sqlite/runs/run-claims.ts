// Who may advance a run: claims of due runs, their leases, and what is taken up when the process before this one died.

import type { Database } from 'better-sqlite3';
import { POISONED } from '../../../core/run/run-event.ts';
import { LARGE_RUN_BYTES, runWeight } from '../../../core/run/run-weight.ts';
import type { ClaimedRun, Lease, RunClaimLimit, StepRecord } from '../../run-records.ts';
import { keyOf, RUN_TABLES, type RunRow, type StepRow, SUMMARY_COLUMNS, toRunId, toWorkflowReference } from './run-rows.ts';
import { type RunParts, readSteps } from './write-runs.ts';

interface DueRow {
  id: number;
  deaths: number;
  bytes: number;
}

const isAlone = ({ bytes, deaths }: DueRow): boolean => bytes > LARGE_RUN_BYTES || deaths > 1;

/** At so many deaths of the process a run is no longer taken up. */
const MAX_DEATHS = 3;
/** Due runs that one claim looks at. */
const MAX_LOOKED_AT = 256;

export function createRunClaims(database: Database, { overflows, endings, resultsOf }: RunParts) {
  // The lengths are in the heads of the rows: no body is read for them.
  const selectDue = database.prepare(
    `SELECT id, deaths, octet_length(body) + octet_length(request) + coalesce(octet_length(inputs), 0) + coalesce(octet_length(first_steps), 0)
       + coalesce((SELECT sum(octet_length(outputs)) FROM step_records WHERE run_id = id), 0) AS bytes
     FROM runs WHERE wake_at <= ? ORDER BY wake_at LIMIT ${MAX_LOOKED_AT}`,
  );
  const claimRun = database.prepare("UPDATE runs SET status = 'running', epoch = epoch + 1, wake_at = ? WHERE id = ?");
  const selectRun = database.prepare(`SELECT ${SUMMARY_COLUMNS}, runs.* FROM ${RUN_TABLES} WHERE runs.id = ?`);
  const selectSteps = database.prepare('SELECT * FROM step_records WHERE run_id = ?');
  const renewLease = database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND epoch = ? AND status = 'running'");
  const releaseRun = database.prepare(
    "UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ? AND epoch = ? AND status = 'running'",
  );
  const recoverRuns = database.prepare(
    "UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1, deaths = deaths + 1 WHERE wake_at IS NOT NULL AND status = 'running'",
  );
  const selectPoisoned = database.prepare('SELECT id, nonce, last_seq AS lastSeq FROM runs WHERE wake_at IS NOT NULL AND deaths >= ?');
  const recoverDeliveries = database.prepare(
    "UPDATE deliveries SET status = 'queued', due_at = ?, epoch = epoch + 1 WHERE sink_no IN (SELECT no FROM sinks) AND status = 'sending'",
  );
  const selectNextWake = database.prepare('SELECT min(wake_at) FROM runs WHERE wake_at IS NOT NULL').pluck();

  /** In the order in which they are due. Those that are taken up alone are passed over while none may be. */
  function selectClaims(now: number, { limit, maxWeight, takesAlone }: RunClaimLimit): DueRow[] {
    const claims: DueRow[] = [];
    let weight = 0;
    let mayTakeAlone = takesAlone;
    for (const due of selectDue.iterate(now) as Iterable<DueRow>) {
      if (claims.length >= limit) break;
      if (isAlone(due) && !mayTakeAlone) continue;
      if (isAlone(due)) mayTakeAlone = false;
      else if (weight + runWeight(due.bytes) > maxWeight) break;
      else weight += runWeight(due.bytes);
      claims.push(due);
    }
    return claims;
  }

  function claimed(due: DueRow): ClaimedRun {
    const { id: order, bytes } = due;
    const row = selectRun.get(order) as RunRow;
    return {
      lease: { runId: toRunId(row), epoch: row.epoch },
      appId: row.app_id,
      sinkId: row.sink_id,
      workflow: toWorkflowReference(row),
      request: row.request,
      bodyKind: row.body_kind,
      bodyCharset: row.body_charset,
      body: row.body,
      inputs: row.inputs,
      progress: row.progress,
      lastSeq: row.last_seq,
      createdAt: row.created_at,
      steps: lastVisits(readSteps(row.first_steps, selectSteps.all(order) as StepRow[])),
      results: resultsOf(order),
      bytes,
      isAlone: isAlone(due),
    };
  }

  return {
    claimDueRuns(now: number, leaseUntil: number, limits: RunClaimLimit): ClaimedRun[] {
      const claims = selectClaims(now, limits);
      for (const { id } of claims) claimRun.run(leaseUntil, id);
      return claims.map(claimed);
    },

    renewLeases(leases: Lease[], leaseUntil: number): string[] {
      return leases
        .filter(({ runId, epoch }) => renewLease.run(leaseUntil, keyOf(runId).runNumber, epoch).changes === 0)
        .map(({ runId }) => runId);
    },

    releaseRun({ runId, epoch }: Lease, now: number): void {
      releaseRun.run(now, keyOf(runId).runNumber, epoch);
    },

    recoverRuns(now: number): { recovered: number; poisoned: string[] } {
      recoverDeliveries.run(now);
      overflows.settleAll(now);
      const recovered = recoverRuns.run(now).changes;
      const poisoned = selectPoisoned.all(MAX_DEATHS) as { id: number; nonce: string; lastSeq: number }[];
      for (const { id, lastSeq } of poisoned) endings.endRun(id, lastSeq, { status: 'failed', error: POISONED, now });
      return { recovered: recovered - poisoned.length, poisoned: poisoned.map(({ id, nonce }) => toRunId({ run_order: id, nonce })) };
    },

    nextWake(): number | null {
      return selectNextWake.get() as number | null;
    },
  };
}

function lastVisits(steps: readonly StepRecord[]): StepRecord[] {
  const last = new Map<string, StepRecord>();
  for (const record of steps) if (record.visit >= (last.get(record.step)?.visit ?? 1)) last.set(record.step, record);
  return [...last.values()];
}
