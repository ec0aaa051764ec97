// Leases of runs in SQLite: claims due runs, renews and releases their leases, and recovers runs after a crash.

import type { Database } from 'better-sqlite3';
import { visitsToResume } from '../../../core/run/item-visits.ts';
import { POISONED_JOB } from '../../../core/run/replay.ts';
import { isAnswer } from '../../../core/run/run-answer.ts';
import { POISONED } from '../../../core/run/run-event.ts';
import { LARGE_RUN_BYTES, runWeight } from '../../../core/run/run-weight.ts';
import { LEASE_MS } from '../../../leases/lease.ts';
import type { ClaimedRun, Lease, Recovery, RunClaimLimit } from '../../runs/run-records.ts';
import type { OverflowGroups } from '../deliveries/overflow.ts';
import type { FlowControl } from '../flow/flow-control.ts';
import type { Stamp } from '../stamp.ts';
import type { RunEndings } from './run-endings.ts';
import type { ReadResults } from './run-results.ts';
import {
  keyOf,
  RUN_TABLES,
  type RunRow,
  readSteps,
  type StepRow,
  SUMMARY_COLUMNS,
  toReplay,
  toRunId,
  toWorkflowReference,
} from './run-rows.ts';
import type { RunParts } from './write-runs.ts';

interface DueRow {
  runNumber: number;
  deaths: number;
  bytes: number;
  hasFlow: 0 | 1;
}

/** Whether the run is claimed without another such run beside it. */
const isAlone = ({ bytes, deaths }: DueRow): boolean => bytes > LARGE_RUN_BYTES || deaths > 1;

/** The poison rule: a run at which the process has died this often ends as failed. */
const MAX_DEATHS = 3;
/** Due runs that one claim examines. */
const MAX_EXAMINED = 256;

export class RunClaims {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #overflows: OverflowGroups;
  readonly #endings: RunEndings;
  readonly #resultsOf: ReadResults;
  readonly #flow: FlowControl;

  constructor(database: Database, { overflows, endings, resultsOf, flow }: RunParts) {
    this.#sql = prepareStatements(database);
    this.#overflows = overflows;
    this.#endings = endings;
    this.#resultsOf = resultsOf;
    this.#flow = flow;
  }

  claimDueRuns({ now, owner }: Stamp, limits: RunClaimLimit): ClaimedRun[] {
    const claims = this.#selectClaims(now, limits).filter(({ hasFlow, runNumber }) => hasFlow === 0 || this.#flow.mayClaim(runNumber));
    for (const { runNumber } of claims) this.#sql.claimRun.run(now + LEASE_MS, owner, runNumber);
    return claims.map((due) => this.#readClaimed(due));
  }

  renewLeases({ now }: Stamp, leases: Lease[]): string[] {
    return leases.filter((lease) => this.#sql.renewLease.run(now + LEASE_MS, ...leaseKey(lease)).changes === 0).map(({ runId }) => runId);
  }

  releaseRun({ now }: Stamp, lease: Lease, delayMs: number): void {
    this.#sql.releaseRun.run(now + delayMs, ...leaseKey(lease));
  }

  recoverRuns({ now }: Stamp, owner: number): Recovery {
    this.#sql.releaseDeliveries.run(now, owner);
    this.#overflows.settleAll(now);
    this.#sql.releaseJobs.run(now, owner);
    this.#sql.endPoisonedJobs.run(now, POISONED_JOB.code, POISONED_JOB.message, MAX_DEATHS);
    const recovered = this.#sql.recoverRuns.run(now, owner).changes;
    const poisoned = this.#sql.selectPoisoned.all(MAX_DEATHS) as { run_number: number; nonce: string; lastSeq: number }[];
    for (const { run_number, lastSeq } of poisoned) this.#endings.endRun(run_number, lastSeq, { status: 'failed', error: POISONED, now });
    return { recovered: recovered - poisoned.length, poisoned: poisoned.map(toRunId) };
  }

  nextWake(): number | null {
    return this.#sql.selectNextWake.get() as number | null;
  }

  /** Selects runs in the order of their due times. Skips those that must be claimed alone if no such claim is allowed. */
  #selectClaims(now: number, { limit, maxWeight, takesAlone }: RunClaimLimit): DueRow[] {
    const claims: DueRow[] = [];
    let weight = 0;
    let mayTakeAlone = takesAlone;
    for (const due of this.#sql.selectDue.iterate(now) as Iterable<DueRow>) {
      if (claims.length >= limit) break;
      if (isAlone(due) && !mayTakeAlone) continue;
      if (isAlone(due)) mayTakeAlone = false;
      else if (weight + runWeight(due.bytes) > maxWeight) break;
      else weight += runWeight(due.bytes);
      claims.push(due);
    }
    return claims;
  }

  #readClaimed(due: DueRow): ClaimedRun {
    const { runNumber, bytes, hasFlow } = due;
    const row = this.#sql.selectRun.get(runNumber) as RunRow;
    const visits = readSteps(row.first_steps, this.#sql.selectSteps.all(runNumber) as StepRow[]);
    return {
      lease: { runId: toRunId(row), epoch: row.epoch, turns: row.turns },
      appId: row.app_id,
      sinkId: row.sink_id,
      workflow: toWorkflowReference(row),
      request: row.request,
      bodyKind: row.body_kind,
      bodyCharset: row.body_charset,
      body: row.body,
      inputs: row.inputs,
      replay: toReplay(row.replay),
      progress: row.progress,
      lastSeq: row.last_seq,
      createdAt: row.created_at,
      steps: visitsToResume(visits, ({ finishedAt }) => finishedAt === null),
      isAnswered: visits.some(isAnswer),
      results: this.#resultsOf(runNumber),
      hasFlow: hasFlow === 1,
      bytes,
      isAlone: isAlone(due),
    };
  }
}

function prepareStatements(database: Database) {
  return {
    // `octet_length` reads only the head of a row, not its body.
    selectDue: database.prepare(
      `SELECT id AS runNumber, deaths, octet_length(body) + octet_length(request) + coalesce(octet_length(inputs), 0)
         + coalesce(octet_length(first_steps), 0)
         + coalesce((SELECT sum(octet_length(outputs)) FROM step_records WHERE run_id = id), 0) AS bytes,
         flow_key IS NOT NULL AS hasFlow
       FROM runs WHERE wake_at <= ? ORDER BY wake_at LIMIT ${MAX_EXAMINED}`,
    ),
    claimRun: database.prepare("UPDATE runs SET status = 'running', epoch = epoch + 1, wake_at = ?, owner = ? WHERE id = ?"),
    selectRun: database.prepare(`SELECT ${SUMMARY_COLUMNS}, runs.* FROM ${RUN_TABLES} WHERE runs.id = ?`),
    selectSteps: database.prepare('SELECT * FROM step_records WHERE run_id = ?'),
    renewLease: database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND nonce = ? AND epoch = ? AND status = 'running'"),
    releaseRun: database.prepare(
      "UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ? AND nonce = ? AND epoch = ? AND status = 'running'",
    ),
    recoverRuns: database.prepare(
      "UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1, deaths = deaths + 1 WHERE wake_at IS NOT NULL AND status = 'running' AND owner = ?",
    ),
    selectPoisoned: database.prepare(
      'SELECT id AS run_number, nonce, last_seq AS lastSeq FROM runs WHERE wake_at IS NOT NULL AND deaths >= ?',
    ),
    releaseDeliveries: database.prepare(
      "UPDATE deliveries SET status = 'queued', due_at = ?, epoch = epoch + 1 WHERE sink_no IN (SELECT no FROM sinks) AND status = 'sending' AND owner = ?",
    ),
    releaseJobs: database.prepare(
      "UPDATE jobs SET status = 'queued', wake_at = ?, epoch = epoch + 1, deaths = deaths + 1 WHERE status = 'running' AND owner = ?",
    ),
    endPoisonedJobs: database.prepare(
      `UPDATE jobs SET status = 'failed', wake_at = NULL, finished_at = ?,
         last_error = json_object('runId', position, 'code', ?, 'message', ?) WHERE finished_at IS NULL AND deaths >= ?`,
    ),
    selectNextWake: database.prepare('SELECT min(wake_at) FROM runs WHERE wake_at IS NOT NULL').pluck(),
  };
}

function leaseKey({ runId, epoch }: Lease): [runNumber: number, nonce: string, epoch: number] {
  const { runNumber, nonce } = keyOf(runId);
  return [runNumber, nonce, epoch];
}
