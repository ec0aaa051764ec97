// Readers of event streams. A reader whose server dies goes on at another one, from the last event that it has got.

import type { ServerResponse } from 'node:http';
import type { Life } from '../servers/life.ts';
import type { Server } from '../servers/server.ts';
import type { World } from '../world.ts';

/** How long after the end of its run a reader may get the last event. */
const MAX_LATE_MS = 5000;
const LOOK_EVERY_MS = 1000;

export class StreamReaders {
  readonly #world: World;
  readonly #servers: readonly Server[];
  readonly #readers: StreamReader[] = [];

  constructor(world: World, servers: readonly Server[]) {
    this.#world = world;
    this.#servers = servers;
  }

  get areWaiting(): boolean {
    return this.#readers.some(({ isEnded }) => !isEnded);
  }

  read(runId: string): void {
    if (this.#world.random.happens(0.5)) return;
    const reader = new StreamReader(this.#world, this.#servers, runId);
    this.#readers.push(reader);
    reader.look();
  }

  check(): void {
    for (const reader of this.#readers) reader.check();
  }
}

class StreamReader {
  readonly #world: World;
  readonly #servers: readonly Server[];
  readonly #runId: string;
  #life: Life | null = null;
  #followsSince = 0;
  #lastSeq = 0;
  #endedAt: number | null = null;

  constructor(world: World, servers: readonly Server[], runId: string) {
    this.#world = world;
    this.#servers = servers;
    this.#runId = runId;
  }

  get isEnded(): boolean {
    return this.#endedAt !== null;
  }

  /** Follows the stream as long as it has not ended, at a server that is up. */
  look(): void {
    const { time } = this.#world;
    if (this.isEnded) return;
    if (this.#life === null || this.#life.state === 'dead') this.#follow();
    time.schedule(LOOK_EVERY_MS, null, () => this.look());
  }

  check(): void {
    const { now, invariants, fail } = this.#world;
    const endedAt = invariants.endOf(this.#runId);
    if (endedAt === null) return;
    const lateMs = (this.#endedAt ?? now) - Math.max(endedAt, this.#followsSince, this.#life?.resumedAt ?? 0);
    if (this.#endedAt === null || lateMs > MAX_LATE_MS)
      fail('every stream reaches its end', `${this.#life?.name} streamed ${this.#runId} ${Math.round(lateMs)} ms longer than it took`);
  }

  #follow(): void {
    const { random, time } = this.#world;
    const lives = this.#servers.flatMap(({ ready }) => ready ?? []);
    if (lives.length === 0) return;
    const life = random.pick(lives);
    this.#life = life;
    this.#followsSince = time.now;
    time.schedule(0, life, () => life.stream(this.#createResponse(life), this.#runId, this.#lastSeq));
  }

  #createResponse(life: Life): ServerResponse {
    const isOpen = (): boolean => this.#life === life;
    const response = {
      writableLength: 0,
      once: () => response,
      destroy: () => response,
      write: (text: string) => isOpen() && this.#receive(text),
      end: (text: string) => {
        if (!isOpen()) return;
        this.#receive(text);
        this.#endedAt = this.#world.time.now;
      },
    };
    return response as unknown as ServerResponse;
  }

  #receive(text: string): boolean {
    const { note, fail } = this.#world;
    for (const [, seq] of text.matchAll(/^id: (\d+)$/gm)) {
      note('a reader', `of ${this.#runId} gets event ${seq}`);
      if (Number(seq) !== this.#lastSeq + 1)
        fail('a stream has every event once', `${this.#runId}: event ${seq} came after ${this.#lastSeq}`);
      this.#lastSeq = Number(seq);
    }
    return true;
  }
}
