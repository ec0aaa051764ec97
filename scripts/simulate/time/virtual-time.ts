// Virtual time: events in the order of their times, one after the other, each with everything that it sets in motion. An
// actor that is paused gets its events later, and a dead one never.

import { EventHeap } from './event-heap.ts';

/** A process. Everything that an event of it causes belongs to it as well. */
export interface Actor {
  state: 'running' | 'paused' | 'dead';
}

export interface Event {
  at: number;
  /** Orders events of the same time. */
  readonly order: number;
  readonly actor: Actor | null;
  readonly act: () => void;
  isCancelled: boolean;
}

/** Immediates that are queued at once: the event loop is entered once for all of them. */
const BATCH = 64;

const nextRound = globalThis.setImmediate;

export class VirtualTime {
  readonly #heap = new EventHeap();
  /** Of paused actors. */
  readonly #held = new Map<Actor, Event[]>();
  #now: number;
  #made = 0;
  #current: Actor | null = null;

  constructor(start: number) {
    this.#now = start;
  }

  /** In ms, with fractions. */
  get now(): number {
    return this.#now;
  }

  /** The actor of the event that is happening. */
  get current(): Actor | null {
    return this.#current;
  }

  /** Events so far. */
  get happened(): number {
    return this.#made;
  }

  schedule(delayMs: number, actor: Actor | null, act: () => void): Event {
    this.#made += 1;
    const event = { at: this.#now + Math.max(0, delayMs), order: this.#made, actor, act, isCancelled: false };
    this.#heap.push(event);
    return event;
  }

  pause(actor: Actor): void {
    actor.state = 'paused';
    this.#held.set(actor, []);
  }

  /** The actor gets the events that it missed, in their order. */
  resume(actor: Actor): void {
    if (actor.state === 'paused') actor.state = 'running';
    for (const { act, isCancelled } of this.#held.get(actor) ?? []) if (!isCancelled) this.schedule(0, actor, act);
    this.#held.delete(actor);
  }

  /** Lets events happen until it is over, or none is left. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      let isRunning = true;
      const step = (): void => {
        if (!isRunning) return;
        isRunning = !isOver() && this.#happenNext();
        if (!isRunning) resolve();
      };
      // Between two immediates Node runs all that the first one has set in motion.
      const fill = (): void => {
        for (let count = 0; count < BATCH; count += 1) nextRound(step);
        if (isRunning) nextRound(fill);
      };
      fill();
    });
  }

  #happenNext(): boolean {
    const event = this.#heap.pop();
    if (event === undefined) return false;
    this.#now = event.at;
    const { actor, act, isCancelled } = event;
    if (isCancelled || actor?.state === 'dead') return true;
    if (actor?.state === 'paused') {
      this.#held.get(actor)?.push(event);
      return true;
    }
    this.#current = actor;
    act();
    return true;
  }
}
