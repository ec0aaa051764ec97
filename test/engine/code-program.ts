// A program that is written in code: a generator yields one call after the other and returns the output. The records of
// finished calls are its only state, so a restored program replays the generator up to the call that is still open.

import { originOf } from '../../src/core/delivery/delivery.ts';
import { deliveryIdOf } from '../../src/core/delivery/delivery-id.ts';
import type { HttpMessage } from '../../src/core/delivery/outbound.ts';
import { NO_RETRY } from '../../src/core/delivery/retry.ts';
import type { RunError } from '../../src/core/run/run.ts';
import type { ProgressEvent, RunOutcome } from '../../src/core/run/run-event.ts';
import type { WorkflowVersion } from '../../src/core/workflow/plan.ts';
import type { LocalEffect, Program, ProgramPast, ProgramStart, Programs } from '../../src/engine/execution/program.ts';
import type { EffectResult } from '../../src/steps/step-type.ts';
import type { NewDelivery } from '../../src/storage/delivery-records.ts';
import type { StepRecord, Turn } from '../../src/storage/runs/run-records.ts';

export type Call =
  | { name: string; kind: 'deliver'; body: unknown }
  | { name: string; kind: 'wait'; ms: number }
  | { name: string; kind: 'reply'; id: string; ms: number };

export type Code = (inputs: Record<string, unknown>) => Generator<Call, unknown, any>;

export interface CodeVersion extends WorkflowVersion {
  code: Code;
}

export function codePrograms(versions: readonly CodeVersion[]): Programs<CodeVersion> {
  return {
    load: (_appId, reference) =>
      Promise.resolve(versions.find(({ id, version }) => id === reference?.id && version === reference.version) ?? null),
    create: (start, past) => new CodeProgram(start, past),
  };
}

class CodeProgram implements Program {
  readonly #start: ProgramStart<CodeVersion>;
  /** By name, in the order in which they began. */
  readonly #calls = new Map<string, StepRecord>();
  readonly #results = new Map<string, EffectResult>();
  #changed = new Set<StepRecord>();
  #events: ProgressEvent[] = [];
  #deliveries: NewDelivery[] = [];
  #progress: number;
  #lastSeq: number;
  #ending: RunOutcome | null = null;

  constructor(start: ProgramStart<CodeVersion>, past?: ProgramPast) {
    this.#start = start;
    this.#progress = past?.progress ?? 0;
    this.#lastSeq = past?.lastSeq ?? 0;
    for (const record of past?.steps ?? []) this.#calls.set(record.step, { ...record });
    if (past === undefined) this.#emit(null);
  }

  get awaited(): number {
    return this.#open().filter(({ dueAt, awaits }) => dueAt === null || awaits !== null).length;
  }

  async advance(now: number): Promise<LocalEffect[]> {
    await Promise.resolve();
    if (this.#ending !== null) return [];
    const running = this.#start.workflow.code(this.#start.inputs);
    for (let next = running.next(); ; ) {
      if (next.done === true) {
        this.#ending = { status: 'completed', output: JSON.stringify(next.value), error: null };
        return [];
      }
      const record = this.#calls.get(next.value.name) ?? this.#begin(next.value, now);
      if (!this.#isFinished(record, now)) return [];
      next = running.next(JSON.parse(record.outputs ?? 'null'));
    }
  }

  takeWantedKeys(): readonly string[] {
    return [];
  }

  giveResult(step: string, _visit: number, result: EffectResult): void {
    this.#results.set(step, result);
  }

  giveImages(): void {
    throw new Error('no call asks for images');
  }

  abort(error: RunError): void {
    this.#ending ??= { status: 'failed', output: null, error };
  }

  takeTurn(at: number): Turn {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const due = this.#open().flatMap(({ dueAt }) => dueAt ?? []);
    const turn: Turn = {
      status: ending?.status ?? 'waiting',
      progress: ending?.status === 'completed' ? 100 : this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps: [...this.#changed].map((record) => ({ ...record })),
      deliveries: this.#deliveries,
      memory: [],
      wakeAt: ending !== null || due.length === 0 ? null : Math.min(...due),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at,
    };
    this.#changed = new Set();
    this.#events = [];
    this.#deliveries = [];
    return turn;
  }

  #open(): StepRecord[] {
    return [...this.#calls.values()].filter(({ status }) => status === 'waiting');
  }

  #emit(step: string | null): void {
    this.#lastSeq += 1;
    this.#events.push({ seq: this.#lastSeq, progress: this.#progress, step, message: null });
  }

  #begin(call: Call, now: number): StepRecord {
    const state = { visit: 1, status: 'waiting', attempt: 1, outputs: null, chosen: null, error: null, backTo: null } as const;
    const dueAt = call.kind === 'deliver' ? null : now + call.ms;
    const awaits = call.kind === 'reply' ? call.id : null;
    const times = { startedAt: now, finishedAt: null, dueAt };
    const record: StepRecord = { ...state, ...times, awaits, step: call.name, type: `code/${call.kind}` };
    if (call.kind === 'deliver') this.#deliveries.push(this.#delivery(call.name, call.body));
    this.#calls.set(call.name, record);
    this.#changed.add(record);
    return record;
  }

  #delivery(step: string, body: unknown): NewDelivery {
    const message = post(body);
    const id = deliveryIdOf(this.#start.runId, this.#calls.size);
    return {
      id,
      step,
      isAwaited: true,
      origin: originOf(message),
      message,
      retry: NO_RETRY,
      overflow: null,
      isLeased: false,
      isRecorded: false,
    };
  }

  /** Finishes an open call whose result is there, or whose time has come. */
  #isFinished(record: StepRecord, now: number): boolean {
    if (record.status === 'completed') return true;
    const result = this.#results.get(record.step);
    if (result === undefined && (record.dueAt === null || record.dueAt > now)) return false;
    const outputs =
      result?.kind === 'response'
        ? { status: result.status, text: Buffer.from(result.body).toString() }
        : result?.kind === 'replied'
          ? { choice: result.choice }
          : null;
    if (result?.kind === 'replied') Object.assign(record, { awaits: null });
    Object.assign(record, { status: 'completed', outputs: JSON.stringify(outputs), finishedAt: now, dueAt: null });
    this.#changed.add(record);
    this.#progress = Math.min(99, this.#progress + 10);
    this.#emit(record.step);
    return true;
  }
}

function post(body: unknown): HttpMessage {
  return {
    transport: 'http',
    method: 'POST',
    url: 'https://receiver.test/',
    headers: {},
    body: [Buffer.from(JSON.stringify(body))],
    timeoutMs: 1000,
    redirects: 'refuse',
    succeeds: '2xx',
    signingSecret: null,
  };
}
