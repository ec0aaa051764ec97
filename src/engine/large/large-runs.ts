// Runs with large bodies are decoded and planned in a thread of their own, a few at a time: in this thread they would
// block every other caller, and take the memory of hundreds of small runs.

import { encodeStored } from '../../core/json/stored-value.ts';
import type { RunError } from '../../core/run/run.ts';
import { DECODED_RATIO } from '../../core/run/run-weight.ts';
import type { Images, ImageWant } from '../../core/uql/image.ts';
import { AppError } from '../../errors.ts';
import { MemoryAccount } from '../../memory-budget.ts';
import type { EffectResult } from '../../steps/step-type.ts';
import type { RunChange } from '../../storage/run-records.ts';
import type { LocalEffect } from '../execution/execution-start.ts';
import type { Program } from '../execution/program.ts';
import type { StepMemory } from '../step-memory.ts';
import { packImages } from './carried-images.ts';
import type { Given, PlannedLargeTurn, RenderLarge, StartedLargeRun, StartLargeRun } from './messages.ts';
import { RunThreadClient, type RunThreadOptions, ThreadDied, ThreadLost } from './run-thread-client.ts';

export interface LargeRuns {
  /**
   * Resolves when the body is decoded and the inputs are bound; `bytes` is the known size of the run as text. Rejects
   * with `invalid`, `too_large`, `unprocessable` or `unsupported_media` for a body at fault, and with `unavailable` when
   * its turn does not come.
   */
  start(run: StartLargeRun, bytes: number): Promise<LargeRun>;
  /** Renders a template to JSON text. Rejects as `start` does. */
  render(render: RenderLarge, bytes: number): Promise<string>;
  close(): Promise<void>;
}

/** How long a run waits for its turn. */
const MAX_WAIT_MS = 60_000;

export function createLargeRuns(options: RunThreadOptions, toWall: (at: number) => number): LargeRuns {
  const client = new RunThreadClient(options);
  const room = new MemoryAccount('runs', options.maxHeapBytes / 2);
  let made = 0;

  return {
    async start(run, bytes) {
      const weight = bytes * DECODED_RATIO;
      await room.reserveInTurn(weight, MAX_WAIT_MS);
      made += 1;
      const large = new LargeRun(made, run, client, toWall, () => room.release(weight));
      try {
        await large.start();
      } catch (error) {
        large.dispose();
        throw faultOf(error);
      }
      return large;
    },
    async render(render, bytes) {
      const weight = bytes * DECODED_RATIO;
      await room.reserveInTurn(weight, MAX_WAIT_MS);
      made += 1;
      const id = made;
      try {
        const answer = await client.ask({ id, ask: 'render', render });
        return 'rendered' in answer ? answer.rendered : '';
      } catch (error) {
        throw faultOf(error);
      } finally {
        client.drop(id);
        room.release(weight);
      }
    },
    close: () => client.close(),
  };
}

/** The run needs more memory than the thread has. */
export const MEMORY_EXCEEDED: RunError = {
  code: 'memory_exceeded',
  message: 'the run needs more memory than this server gives to one run',
};

function faultOf(error: unknown): unknown {
  if (error instanceof ThreadDied) return new AppError('too_large', MEMORY_EXCEEDED.message);
  if (!(error instanceof ThreadLost)) return error;
  return new AppError('unavailable', 'the server was reading a body that was too much for it; try again', { retryAfterSeconds: 1 });
}

export class LargeRun implements Program {
  started: StartedLargeRun = { kind: 'empty', charset: 'utf-8', inputs: null };
  awaited = 0;
  readonly #id: number;
  readonly #run: StartLargeRun;
  readonly #client: RunThreadClient;
  readonly #toWall: (at: number) => number;
  #giveRoom: (() => void) | null;
  #given: Given[] = [];
  #progress: number;
  #lastSeq: number;
  /** Sets the images that a step waits for. */
  readonly #wants = new Map<string, readonly ImageWant[]>();

  constructor(id: number, run: StartLargeRun, client: RunThreadClient, toWall: (at: number) => number, giveRoom: () => void) {
    this.#id = id;
    this.#run = run;
    this.#client = client;
    this.#toWall = toWall;
    this.#giveRoom = giveRoom;
    this.#progress = run.past?.progress ?? 0;
    this.#lastSeq = run.past?.lastSeq ?? 0;
  }

  async start(): Promise<void> {
    const answer = await this.#client.ask({ id: this.#id, ask: 'start', run: this.#run });
    if ('started' in answer) this.started = answer.started;
  }

  giveResult(step: string, result: EffectResult): void {
    this.#given.push({ kind: 'result', step, result });
  }

  giveImages(step: string, images: Images): void {
    this.#given.push({ kind: 'images', step, images: packImages(images, this.#wants.get(step) ?? []) });
  }

  abort(error: RunError): void {
    this.#given.push({ kind: 'abort', error });
  }

  /** Advances the run as far as it can go. A run that needs more memory than there is fails. */
  async plan(now: number, leaseUntil: number, memory: StepMemory): Promise<Extract<PlannedLargeTurn, { kind: 'planned' }>> {
    try {
      const planned = await this.#planWith(now, leaseUntil, memory);
      this.awaited = planned.awaited;
      this.#progress = planned.change.progress;
      this.#lastSeq = planned.change.lastSeq;
      for (const { step, plan } of planned.effects) if (plan.kind === 'load') this.#wants.set(step, plan.wants);
      return planned;
    } catch (error) {
      if (!(error instanceof ThreadDied)) throw faultOf(error);
      return { kind: 'planned', change: this.#failedChange(now), effects: NOTHING, awaited: 0, bug: null };
    }
  }

  async #planWith(now: number, leaseUntil: number, memory: StepMemory): Promise<Extract<PlannedLargeTurn, { kind: 'planned' }>> {
    const { sinkId } = this.#run;
    let recalled: { key: string; version: number; value: string }[] = [];
    for (;;) {
      const given = this.#given;
      this.#given = [];
      const answer = await this.#client.ask({
        id: this.#id,
        ask: 'plan',
        turn: { given, now, wallNow: this.#toWall(now), leaseUntil, recalled },
      });
      if (!('planned' in answer)) throw new Error('the thread of large runs answered with something else than a turn');
      const { planned } = answer;
      if (planned.kind === 'planned') return planned;
      const unknown = planned.keys.filter((key) => memory.peek(sinkId, key) === undefined);
      if (unknown.length > 0) await memory.load(sinkId, unknown);
      recalled = planned.keys.map((key) => {
        const { version, value } = memory.peek(sinkId, key) ?? { version: 0, value: null };
        return { key, version, value: encodeStored(value) };
      });
    }
  }

  #failedChange(at: number): RunChange {
    const base = { progress: this.#progress, lastSeq: this.#lastSeq + 1, wakeAt: null, output: null, at };
    return { ...base, status: 'failed', events: [], steps: [], deliveries: [], memory: [], error: MEMORY_EXCEEDED };
  }

  /** Idempotent. */
  dispose(): void {
    this.#client.drop(this.#id);
    this.#giveRoom?.();
    this.#giveRoom = null;
  }
}

const NOTHING: LocalEffect[] = [];
