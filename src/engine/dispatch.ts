// Starts a run: plans its first turn in memory and stores request and turn in one commit. A run whose steps have no
// effects outside also ends within that commit.

import type { Clock } from '../clock.ts';
import { stringifyJson } from '../core/json/json.ts';
import type { Request, RequestBody, RequestHead } from '../core/run/request.ts';
import { isTerminal } from '../core/run/run.ts';
import type { RunEvent } from '../core/run/run-event.ts';
import { bindInputs } from '../core/workflow/inputs.ts';
import type { Workflow, WorkflowVersion } from '../core/workflow/plan.ts';
import { AppError } from '../errors.ts';
import type { NewRunId } from '../ids.ts';
import { FIRST_EPOCH } from '../leases/lease.ts';
import type { Logger } from '../logger.ts';
import { MAX_REPEATS, pauseBefore, repeatUnknown } from '../repetition.ts';
import type { CreateRunResult, NewRun, Turn } from '../storage/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import type { Program, Programs, WorkflowReference } from './execution/program.ts';
import type { LargeRun } from './large/large-runs.ts';
import { ActiveRun, logRunEnd, type PlannedTurn, type Turns } from './turn.ts';
import { eventsOf } from './turn-events.ts';

export interface Trigger<Version extends WorkflowVersion = Workflow> {
  appId: string;
  sinkId: string;
  /** The planned workflow of the sink. */
  workflow: Version;
  /** Null if the sink names no workflow. */
  workflowReference: WorkflowReference | null;
  head: RequestHead;
  body: RequestBody;
  /** Includes the body's value; null for a large body, which is decoded later. */
  request: Request | null;
  /** How to decode a large body. */
  reading?: unknown;
  /** By input of the workflow, the selector that the sink sets for it. */
  inputMapping: Readonly<Record<string, string>>;
  /** `keepMs`: how long the key is remembered. */
  idempotency: { key: string; fingerprint: string; keepMs: number } | null;
}

/** A run that is on disk. */
export interface Dispatched {
  runId: string;
  /** All events of the stream so far; empty for a duplicate. */
  events: readonly RunEvent[];
  /** How the run ended, when it ended within its first commit. */
  ended: Pick<Turn, 'status' | 'output' | 'error'> | null;
  /** The idempotency key named an earlier run, and this is that run. */
  isDuplicate: boolean;
}

/** Resolves when the run and its input are on disk. Rejects with `unavailable` or `unprocessable`. */
export type Dispatch<Version extends WorkflowVersion = Workflow> = (trigger: Trigger<Version>) => Promise<Dispatched>;

export interface DispatchOptions<Version extends WorkflowVersion> {
  storage: Pick<Storage, 'createRun'>;
  programs: Pick<Programs<Version>, 'create'>;
  turns: Turns;
  clock: Clock;
  newRunId: NewRunId;
  logger: Logger;
  isDraining: () => boolean;
  /** Called with a run that continues after its first commit. */
  onContinue: (run: ActiveRun, firstTurn: PlannedTurn) => void;
  /** Called with a run that ended within its first commit and has deliveries to send. */
  onFinished: (runId: string, turn: Turn) => void;
  startLarge: (runId: string, trigger: Trigger<Version>) => Promise<LargeRun>;
}

/** A run whose first turn is planned. */
interface Planned {
  runId: string;
  now: number;
  program: Program;
  firstTurn: PlannedTurn;
  /** How often the run has been planned. */
  attempt: number;
  /** JSON text of the bound inputs; null if request and workflow determine them. */
  inputs: string | null;
}

export class Dispatcher<Version extends WorkflowVersion> {
  readonly #options: DispatchOptions<Version>;

  constructor(options: DispatchOptions<Version>) {
    this.#options = options;
  }

  readonly dispatch: Dispatch<Version> = (trigger) => this.#start(trigger, 1);

  #start(trigger: Trigger<Version>, attempt: number): Promise<Dispatched> {
    try {
      if (this.#options.isDraining()) throw new AppError('unavailable', 'the server is shutting down; try again', { retryAfterSeconds: 5 });
      return trigger.request === null ? this.#startLarge(trigger, attempt) : this.#startHere(trigger, trigger.request, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Throws as `bindInputs` does. Not async: every extra promise costs every run. */
  #startHere(trigger: Trigger<Version>, request: Request, attempt: number): Promise<Dispatched> {
    const { programs, turns, newRunId, clock } = this.#options;
    const { sinkId, workflow, inputMapping } = trigger;
    const inputs = bindInputs(workflow, inputMapping, request, trigger.body.kind);
    const runId = newRunId();
    const now = clock();
    const program = programs.create({ runId, sinkId, workflow, request, inputs });
    const planned = turns.plan(runId, sinkId, program);
    if (planned instanceof Promise)
      return planned.then((firstTurn) => this.#storeHere(trigger, { runId, now, program, firstTurn, attempt }, inputs));
    return this.#storeHere(trigger, { runId, now, program, firstTurn: planned, attempt }, inputs);
  }

  #storeHere(trigger: Trigger<Version>, planned: Omit<Planned, 'inputs'>, inputs: object): Promise<Dispatched> {
    const { runId, now, program, firstTurn, attempt } = planned;
    const isMapped = !isTerminal(firstTurn.turn.status) && Object.keys(trigger.inputMapping).length > 0;
    return this.#store(trigger, { runId, now, program, firstTurn, attempt, inputs: isMapped ? stringifyJson(inputs) : null });
  }

  async #startLarge(trigger: Trigger<Version>, attempt: number): Promise<Dispatched> {
    const { turns, newRunId, clock, startLarge } = this.#options;
    const runId = newRunId();
    const now = clock();
    const run = await startLarge(runId, trigger);
    let continues = false;
    try {
      const firstTurn = await turns.plan(runId, trigger.sinkId, run);
      // Receiving a large turn and handing it to the writer both block the event loop: let others run in between.
      await new Promise(setImmediate);
      const { kind, charset, inputs } = run.started;
      const body = { ...trigger.body, kind, charset };
      const dispatched = await this.#store({ ...trigger, body }, { runId, now, program: run, firstTurn, attempt, inputs });
      continues = dispatched.ended === null && dispatched.runId === runId;
      return dispatched;
    } finally {
      // The worker disposes of a run that continues.
      if (!continues) run.dispose();
    }
  }

  async #store(trigger: Trigger<Version>, planned: Planned): Promise<Dispatched> {
    const { storage, turns } = this.#options;
    const { turn } = planned.firstTurn;
    const run = newRun(trigger, planned);
    let created: CreateRunResult | undefined;
    try {
      created = await storage.createRun(run);
    } catch (error) {
      // A caller who repeated the request would start a second run.
      created = await repeatUnknown(error, () => storage.createRun(run));
    } finally {
      // Later turns must not be planned on a turn that was not stored.
      if (created?.kind !== 'created') turns.discard(trigger.sinkId, turn);
    }
    if (created.kind === 'id_taken' || created.kind === 'memory_changed') return await this.#startAgain(trigger, planned.attempt);
    if (created.kind === 'duplicate') return joinEarlier(created, trigger.idempotency?.key);
    this.#begin(trigger, planned);
    const ended = isTerminal(turn.status) ? turn : null;
    return { runId: planned.runId, events: eventsOf(turn), ended, isDuplicate: false };
  }

  /** Plans the run again: another run has its id, or has changed the memory that it read. */
  async #startAgain(trigger: Trigger<Version>, attempt: number): Promise<Dispatched> {
    if (attempt > MAX_REPEATS) {
      throw new AppError('unavailable', 'too many runs change the memory of this sink at the same time; try again', {
        retryAfterSeconds: 1,
      });
    }
    await pauseBefore(attempt);
    return await this.#start(trigger, attempt + 1);
  }

  /** After the commit: sends the deliveries of a run that has ended, or hands the run to the worker. */
  #begin({ appId, sinkId, body, head }: Trigger<Version>, { runId, now, program, firstTurn }: Planned): void {
    const { logger, onContinue, onFinished } = this.#options;
    const { turn } = firstTurn;
    if (isTerminal(turn.status)) {
      logRunEnd(logger, { appId, sinkId, createdAt: now }, runId, turn);
      if (turn.deliveries.length > 0) onFinished(runId, turn);
    } else {
      const owner = { appId, sinkId, createdAt: now, bytes: body.bytes.byteLength };
      onContinue(new ActiveRun({ runId, epoch: FIRST_EPOCH, turns: 1 }, owner, program, head.files), firstTurn);
    }
  }
}

function newRun(trigger: Trigger<WorkflowVersion>, { runId, now, firstTurn, inputs }: Planned): NewRun {
  const { appId, sinkId, head, body, idempotency } = trigger;
  return {
    runId,
    appId,
    sinkId,
    workflow: trigger.workflowReference,
    request: stringifyJson(head),
    bodyKind: body.kind,
    bodyCharset: body.charset,
    body: body.bytes,
    blobs: head.files.map(({ sha256 }) => sha256),
    inputs,
    idempotency,
    createdAt: now,
    turn: firstTurn.turn,
  };
}

function joinEarlier({ runId, sameRequest }: Extract<CreateRunResult, { kind: 'duplicate' }>, key: string | undefined): Dispatched {
  if (sameRequest) return { runId, events: [], ended: null, isDuplicate: true };
  const message = `Idempotency-Key "${key}" was used before with another request; use a new key for a new request`;
  throw new AppError('unprocessable', message, { details: { run_id: runId } });
}
