// Runs with large bodies are decoded and planned in a thread of their own, a few at a time: in this thread they would
// block every other caller, and take the memory of hundreds of small runs.

import { encodeStored } from '../../core/json/stored-value.ts';
import { keyOf } from '../../core/run/item-visits.ts';
import type { RunError } from '../../core/run/run.ts';
import { DECODED_RATIO } from '../../core/run/run-weight.ts';
import type { Images, ImageWant } from '../../core/uql/image.ts';
import { AppError } from '../../errors.ts';
import { MemoryAccount } from '../../memory-budget.ts';
import type { EffectResult } from '../../steps/step-type.ts';
import type { Turn } from '../../storage/runs/run-records.ts';
import { failedTurn } from '../execution/failed-program.ts';
import type { LocalEffect, Program, Recall } from '../execution/program.ts';
import { packImages } from './carried-images.ts';
import type { CheckLarge, Given, PlanLargeTurn, PlannedLargeTurn, RenderLarge, StartedLargeRun, StartLargeRun } from './messages.ts';
import { RunThreadClient, type RunThreadOptions, ThreadDied, ThreadLost } from './run-thread-client.ts';

export interface LargeRuns {
  /**
   * Resolves when the body is decoded and the inputs are bound; `bytes` is the known size of the run as text. Rejects
   * with `invalid`, `too_large`, `unprocessable` or `unsupported_media` for a faulty body, and with `unavailable` if it
   * waited too long.
   */
  start(run: StartLargeRun, bytes: number, recall: Recall): Promise<LargeRun>;
  /** Renders a template to JSON text. Rejects as `start` does. */
  render(render: RenderLarge, bytes: number): Promise<string>;
  /** Rejects as `start` does, and with `unprocessable` for a body that does not fit its schema. */
  check(check: CheckLarge, bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** How long a run waits for memory. */
const MAX_WAIT_MS = 60_000;

export function createLargeRuns(options: RunThreadOptions, toWall: (at: number) => number): LargeRuns {
  const client = new RunThreadClient(options);
  const memory = new MemoryAccount('runs', options.maxHeapBytes / 2);
  let made = 0;

  /** For what the thread need not keep. */
  async function askOnce(once: { ask: 'render'; render: RenderLarge } | { ask: 'check'; check: CheckLarge }, bytes: number) {
    const weight = bytes * DECODED_RATIO;
    await memory.reserveSerially(weight, MAX_WAIT_MS);
    made += 1;
    const id = made;
    try {
      return await client.ask({ id, ...once });
    } catch (error) {
      throw faultOf(error);
    } finally {
      client.drop(id);
      memory.release(weight);
    }
  }

  return {
    async start(run, bytes, recall) {
      const weight = bytes * DECODED_RATIO;
      await memory.reserveSerially(weight, MAX_WAIT_MS);
      made += 1;
      const large = new LargeRun(made, run, { client, toWall, recall, release: () => memory.release(weight) });
      try {
        await large.start();
      } catch (error) {
        large.dispose();
        throw faultOf(error);
      }
      return large;
    },
    async render(render, bytes) {
      const answer = await askOnce({ ask: 'render', render }, bytes);
      return 'rendered' in answer ? answer.rendered : '';
    },
    async check(check, bytes) {
      await askOnce({ ask: 'check', check }, bytes);
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
  return new AppError('unavailable', 'another large request used up the memory of the server; try again', { retryAfterSeconds: 1 });
}

interface LargeRunOptions {
  client: RunThreadClient;
  toWall: (at: number) => number;
  recall: Recall;
  /** Releases the memory that is reserved for the run. */
  release: () => void;
}

export class LargeRun implements Program {
  started: StartedLargeRun = { kind: 'empty', charset: 'utf-8', inputs: null };
  awaited = 0;
  /** The thread keeps only a few runs. */
  readonly leavesMemory = true;
  readonly #id: number;
  readonly #run: StartLargeRun;
  readonly #options: LargeRunOptions;
  #isDisposed = false;
  #given: Given[] = [];
  /** Keys of the sink's memory that the thread asked for, and those of them that are not loaded. */
  #asked: readonly string[] = [];
  #wanted: readonly string[] = [];
  /** The turn that `advance` has planned. */
  #turn: Turn | null = null;
  #progress: number;
  #lastSeq: number;
  /** By visit of a step, the images that it waits for. */
  readonly #wants = new Map<string, readonly ImageWant[]>();

  constructor(id: number, run: StartLargeRun, options: LargeRunOptions) {
    this.#id = id;
    this.#run = run;
    this.#options = options;
    this.#progress = run.past?.progress ?? 0;
    this.#lastSeq = run.past?.lastSeq ?? 0;
  }

  async start(): Promise<void> {
    const answer = await this.#options.client.ask({ id: this.#id, ask: 'start', run: this.#run });
    if ('started' in answer) this.started = answer.started;
  }

  giveResult(step: string, visit: number, result: EffectResult): void {
    this.#given.push({ kind: 'result', step, visit, result });
  }

  giveImages(step: string, visit: number, images: Images): void {
    const wants = this.#wants.get(keyOf({ step, visit })) ?? [];
    this.#given.push({ kind: 'images', step, visit, images: packImages(images, wants) });
  }

  abort(error: RunError): void {
    this.#given.push({ kind: 'abort', error });
  }

  /** A run that needs more memory than the thread has fails. Rejects with `unavailable` when it must be restored. */
  async advance(now: number): Promise<LocalEffect[]> {
    try {
      for (;;) {
        const planned = await this.#plan(now);
        if (planned.kind === 'planned') return this.#accept(planned);
        this.#asked = planned.keys;
        this.#wanted = planned.keys.filter((key) => this.#options.recall(this.#run.sinkId, key) === undefined);
        if (this.#wanted.length > 0) return [];
      }
    } catch (error) {
      if (!(error instanceof ThreadDied)) throw faultOf(error);
      this.awaited = 0;
      this.#turn = failedTurn({ progress: this.#progress, lastSeq: this.#lastSeq }, MEMORY_EXCEEDED, now);
      return [];
    }
  }

  takeWantedKeys(): readonly string[] {
    const wanted = this.#wanted;
    this.#wanted = [];
    return wanted;
  }

  /** The thread has made it, with the times of `advance`. */
  takeTurn(): Turn {
    const turn = this.#turn;
    if (turn === null) throw new Error('a large run has no turn to take');
    this.#turn = null;
    return turn;
  }

  dispose(): void {
    this.#options.client.drop(this.#id);
    if (!this.#isDisposed) this.#options.release();
    this.#isDisposed = true;
  }

  async #plan(now: number): Promise<PlannedLargeTurn> {
    const given = this.#given;
    const recalled = this.#asked.map((key) => this.#recall(key));
    this.#given = [];
    this.#asked = [];
    const turn = { given, now, wallNow: this.#options.toWall(now), recalled };
    const answer = await this.#options.client.ask({ id: this.#id, ask: 'plan', turn });
    if (!('planned' in answer)) throw new Error('the thread of large runs did not answer with a turn');
    return answer.planned;
  }

  #recall(key: string): PlanLargeTurn['recalled'][number] {
    const { version, value } = this.#options.recall(this.#run.sinkId, key) ?? { version: 0, value: null };
    return { key, version, value: encodeStored(value) };
  }

  #accept({ turn, effects, awaited }: Extract<PlannedLargeTurn, { kind: 'planned' }>): LocalEffect[] {
    this.awaited = awaited;
    this.#turn = turn;
    this.#progress = turn.progress;
    this.#lastSeq = turn.lastSeq;
    for (const { plan, ...effect } of effects) if (plan.kind === 'load') this.#wants.set(keyOf(effect), plan.wants);
    return effects;
  }
}
