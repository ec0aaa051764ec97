// One life of a server: the real engine over the storage, from its start until it is killed or has drained.

import type { ServerResponse } from 'node:http';
import { joinRunId, nextRunNumber } from '../../../src/core/run/run-id.ts';
import { unloadedImages } from '../../../src/core/uql/image.ts';
import type { Workflow } from '../../../src/core/workflow/plan.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { Execution } from '../../../src/engine/execution/execution.ts';
import type { Programs, ProgramTools } from '../../../src/engine/execution/program.ts';
import { createRunFeed, type RunFeed } from '../../../src/engine/run-feed.ts';
import type { LocalEffects } from '../../../src/engine/worker.ts';
import { EventStream } from '../../../src/http/streams/event-stream.ts';
import { createRunWaiter, type WaitForRun } from '../../../src/http/streams/run-waiter.ts';
import { UnsentAnswers } from '../../../src/http/streams/unsent-answers.ts';
import type { NewRunId } from '../../../src/ids.ts';
import type { Logger } from '../../../src/logger.ts';
import { createMemoryBudget, type MemoryBudget } from '../../../src/memory-budget.ts';
import { announceChanges } from '../../../src/storage/hints.ts';
import type { Storage, StorageTime } from '../../../src/storage/storage.ts';
import type { Actor } from '../time/virtual-time.ts';
import { findSimulated, stepTypes } from '../workload/workflows.ts';
import type { World } from '../world.ts';
import { createFaultyStorage } from './faulty-storage.ts';
import { createReceiver } from './receiver.ts';
import { createWatcherReads } from './watcher-reads.ts';

export class Life implements Actor {
  state: Actor['state'] = 'running';
  readonly name: string;
  readonly owner: number;
  readonly slot: number;
  readonly feed: RunFeed = createRunFeed();
  readonly memory: MemoryBudget = createMemoryBudget(2 ** 40);
  readonly engine: Engine;
  readonly waitForRun: WaitForRun;
  /** It has started, and takes calls. */
  isReady = false;
  /** When it last went on after a pause. */
  resumedAt = 0;
  /** How far its clock is ahead of that of the storage, and the wall clock ahead of its clock. */
  aheadMs = 0;
  wallAheadMs = 0;
  readonly #world: World;
  readonly #reads: ReturnType<typeof createWatcherReads>;
  readonly #unsent = new UnsentAnswers(this.memory.answers);

  constructor(world: World, name: string) {
    const { owner, slot } = world.state.owners.add();
    this.#world = world;
    this.name = `${name}${owner}`;
    this.owner = owner;
    this.slot = slot;
    this.jumpClock();
    const storage = this.#createStorage();
    const time = this.#createTime();
    const { runs, deliveries } = this.memory;
    this.engine = new Engine({
      storage,
      createPrograms: (tools) => createPrograms(tools, storage),
      feed: this.feed,
      node: { owner, slot, isAlone: false, time },
      newRunId: this.#createRunIds(time.clock),
      logger: this.#createLogger(),
      random: world.random.next,
      send: createReceiver(world, this),
      localEffects: createEffects(world),
      memory: runs,
      messageMemory: deliveries,
      largeRuns: { start: refuseLarge, render: refuseLarge, check: refuseLarge, close: () => Promise.resolve() },
      secrets: { placeholder: (_runId, name) => name, mask: (_runId, text) => text },
    });
    this.#reads = createWatcherReads(world, storage);
    this.waitForRun = createRunWaiter(this.#reads, this.feed);
  }

  /** Sends the events of a run after `after`, up to its end. */
  stream(response: ServerResponse, runId: string, after: number): void {
    const tools = { reads: this.#reads, feed: this.feed, unsent: this.#unsent, maxStalledMs: NEVER_MS };
    void new EventStream(tools, response, runId, after, () => undefined).catchUp();
  }

  jumpClock(): void {
    const { random, faults } = this.#world;
    this.aheadMs = random.between(-faults.rates.skewMs, faults.rates.skewMs);
    this.wallAheadMs = random.pick([0, 0, -7_200_000, 7_200_000, 86_400_000]);
  }

  #createStorage(): Storage {
    const { hints, faults, time, random } = this.#world;
    const pass = (act: () => void): void => {
      if (!faults.happens('lost hint', faults.rates.lostHint)) time.schedule(random.next() * faults.rates.latencyMs, this, act);
    };
    const storage: Storage = {
      ...createFaultyStorage(this.#world, this),
      watch: (listener) => hints.watch(this.owner, (hint) => pass(() => listener(hint))),
      close: () => Promise.resolve(),
    };
    return announceChanges(storage, (hint) => hints.announce(this.owner, hint));
  }

  #createTime(): StorageTime {
    return {
      clock: () => Math.floor(this.#world.time.now + this.aheadMs),
      toWall: (at) => at + this.wallAheadMs,
      fromWall: (wall) => wall - this.wallAheadMs,
      settlesAt: () => 0,
    };
  }

  #createRunIds(clock: () => number): NewRunId {
    const { random, state, faults } = this.#world;
    let last = -1;
    return () => {
      last = nextRunNumber(last, clock(), this.slot);
      const [taken] = state.runs.keys();
      const runNumber = taken !== undefined && faults.happens('id taken', faults.rates.refused / 4) ? taken : last;
      return joinRunId({ runNumber, nonce: Array.from({ length: 20 }, () => random.pick(NONCE_DIGITS)).join('') });
    };
  }

  #createLogger(): Logger {
    const { note, invariants } = this.#world;
    const ignore = (): void => undefined;
    const write = (level: string) => (fields: { err?: unknown; reason?: unknown }, text: string) => {
      note(this.name, `${level}: ${text} ${String(fields.err ?? fields.reason ?? '')}`);
      if (level === 'error') invariants.noteError(text, fields.err);
    };
    return { debug: ignore, info: ignore, warn: write('warn'), error: write('error') } as unknown as Logger;
  }
}

const NEVER_MS = 2 ** 31;
const NONCE_DIGITS = [...'0123456789abcdefghjkmnpqrstvwxyz'];

const refuseLarge = (): Promise<never> => Promise.reject(new Error('no run here is large'));

/** As the programs of graphs, but each workflow is planned once for all histories. */
function createPrograms(tools: ProgramTools, storage: Pick<Storage, 'findWorkflow'>): Programs<Workflow> {
  const executionTools = { ...tools, stepTypes };
  return {
    create: (start, past) => new Execution(executionTools, start, past),
    async load(appId, reference) {
      if (reference === null || (await storage.findWorkflow(appId, reference.id, reference.version)) === null) return null;
      return findSimulated(reference.id).workflow;
    },
  };
}

/** Files take their time: some take longer than a lease. */
function createEffects(world: World): LocalEffects {
  const { time, random } = world;
  return {
    loadImages: () => Promise.resolve(unloadedImages),
    readFile: () => Promise.resolve({ kind: 'not_read', error: 'nothing is read here' }),
    writeFile: () =>
      new Promise((resolve) => {
        const delayMs = random.happens(0.15) ? random.between(10_000, 40_000) : random.between(0, 2000);
        world.noteSlow(delayMs);
        time.schedule(delayMs, time.current, () =>
          resolve(random.happens(0.1) ? { kind: 'not_written', error: 'full' } : { kind: 'written' }),
        );
      }),
  };
}
