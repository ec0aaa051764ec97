// A server: one life after the other. It is killed, paused, drained and restarted, and it loses its session.

import type { World } from '../world.ts';
import { Life } from './life.ts';

export class Server {
  readonly #world: World;
  readonly #name: string;
  #life: Life | null = null;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** Null: it is down. */
  get life(): Life | null {
    return this.#life;
  }

  /** Null: it takes no calls. */
  get ready(): Life | null {
    return this.#life?.isReady === true ? this.#life : null;
  }

  start(): void {
    const { time, note } = this.#world;
    const life = new Life(this.#world, this.#name);
    this.#life = life;
    note(life.name, `starts in slot ${life.slot}`);
    time.schedule(0, life, () => void this.#begin(life));
  }

  kill(): void {
    const { faults, random } = this.#world;
    if (this.#life === null) return;
    faults.count('killed owner');
    this.#end(this.#life, 'is killed', random.between(100, 10_000));
  }

  pause(): void {
    const { time, faults, random, note } = this.#world;
    const life = this.#life;
    if (life === null || life.state !== 'running') return;
    const pauseMs = random.between(1000, 40_000);
    faults.count('paused owner');
    note(life.name, `is paused for ${Math.round(pauseMs)} ms`);
    this.#world.noteSlow(pauseMs);
    time.pause(life);
    time.schedule(pauseMs, null, () => {
      note(life.name, 'goes on');
      life.resumedAt = time.now;
      time.resume(life);
    });
  }

  drain(): void {
    const { time, faults, random, note } = this.#world;
    const life = this.#life;
    if (life === null || life.state !== 'running') return;
    faults.count('drained owner');
    note(life.name, 'drains');
    this.#world.noteSlow(10_000);
    time.schedule(0, life, () => {
      void life.engine.drain(random.between(0, 8000)).then(() => {
        this.#end(life, 'has drained', random.between(100, 3000));
      });
    });
  }

  /** The storage takes the process for dead, until its next call. */
  loseSession(): void {
    const { faults, state, note, invariants } = this.#world;
    if (this.#life === null) return;
    faults.count('lost session');
    note(this.#life.name, 'loses its session');
    invariants.noteBurial(this.#life.owner);
    state.owners.bury(this.#life.owner);
  }

  jumpClock(): void {
    this.#world.faults.count('clock jump');
    this.#life?.jumpClock();
  }

  /** A server that cannot start exits, and is started again. */
  async #begin(life: Life): Promise<void> {
    try {
      await life.engine.start();
      life.isReady = true;
    } catch (error) {
      this.#end(life, `could not start: ${String(error)}`, 1000);
    }
  }

  #end(life: Life, how: string, restartMs: number): void {
    const { time, random, state, note, invariants } = this.#world;
    if (life.state === 'dead') return;
    note(life.name, how);
    life.state = 'dead';
    if (this.#life === life) this.#life = null;
    // The others notice it after a while.
    time.schedule(random.happens(0.7) ? random.between(0, 3000) : random.between(0, 20_000), null, () => {
      note(life.name, 'is buried');
      invariants.noteBurial(life.owner);
      state.owners.bury(life.owner);
    });
    time.schedule(restartMs, null, () => this.start());
  }
}
