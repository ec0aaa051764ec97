// Limits elementary steps, for work whose size a caller chooses. Counting steps instead of time makes the limit the same
// on every machine.

/** Thrown when the work exceeds its limit. */
export class TooMuchEffort extends Error {}

export class Effort {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** Throws TooMuchEffort. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchEffort('the work exceeds its limit of steps');
  }
}
