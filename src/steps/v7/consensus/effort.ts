// A limit on elementary steps, for work whose size a caller chooses: what would hold up everybody else is given up early
// and always at the same place, whatever the machine.

/** The work is more than was allowed. */
export class TooMuchEffort extends Error {}

export class Effort {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** Throws TooMuchEffort. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchEffort('the work takes more steps than are allowed');
  }
}
