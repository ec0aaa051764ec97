// Watchers that wait on some server for the end of a run, which another one may store.

import { AppError } from '../../../src/errors.ts';
import type { Life } from '../servers/life.ts';
import type { Server } from '../servers/server.ts';
import type { World } from '../world.ts';

interface Watcher {
  runId: string;
  life: Life;
  beganAt: number;
  learnedAt: number | null;
}

const WAIT_MS = 3_600_000;
/** How long after the end of its run a watcher may learn of it. */
const MAX_LATE_MS = 5000;
const RETRY_MS = 200;

export class Watchers {
  readonly #world: World;
  readonly #servers: readonly Server[];
  readonly #watchers: Watcher[] = [];

  constructor(world: World, servers: readonly Server[]) {
    this.#world = world;
    this.#servers = servers;
  }

  /** Whether some watcher of a living server still waits. */
  get areWaiting(): boolean {
    return this.#watchers.some(({ life, learnedAt }) => learnedAt === null && life.state !== 'dead');
  }

  watch(runId: string): void {
    const { random, time } = this.#world;
    const lives = this.#servers.flatMap(({ ready }) => ready ?? []);
    if (lives.length === 0 || random.happens(0.3)) return;
    const watcher: Watcher = { runId, life: random.pick(lives), beganAt: time.now, learnedAt: null };
    this.#watchers.push(watcher);
    time.schedule(random.between(0, 500), watcher.life, () => this.#wait(watcher));
  }

  check(): void {
    const { now, invariants, fail } = this.#world;
    for (const { runId, life, beganAt, learnedAt } of this.#watchers) {
      const endedAt = invariants.endOf(runId);
      if (endedAt === null || life.state === 'dead') continue;
      const lateMs = (learnedAt ?? now) - Math.max(endedAt, beganAt, life.resumedAt);
      if (lateMs > MAX_LATE_MS || (learnedAt === null && lateMs > MAX_LATE_MS / 2))
        fail('every watcher learns of the end', `${life.name} waited for ${runId} ${Math.round(lateMs)} ms longer than it took`);
    }
  }

  #wait(watcher: Watcher): void {
    const { time, note } = this.#world;
    const { runId, life } = watcher;
    life.waitForRun({ runId, until: 'end', waitMs: WAIT_MS, gone: new AbortController().signal }).then(
      (ended) => {
        note(life.name, `has waited for ${runId}: ${ended?.value.status}`);
        if (ended !== null) watcher.learnedAt = time.now;
      },
      (error: unknown) => {
        if (!(error instanceof AppError)) return this.#world.fail('no unexpected errors', `a watcher: ${String(error)}`);
        time.schedule(RETRY_MS, life, () => this.#wait(watcher));
      },
    );
  }
}
