// The owners of leases: who is alive, and their slots. Two live owners never have the same slot.

const SLOTS = 64;

interface Owner {
  slot: number;
  isAlive: boolean;
}

export class Owners {
  readonly #owners = new Map<number, Owner>();
  #last = 0;

  add(): { owner: number; slot: number } {
    this.#last += 1;
    const taken = new Set([...this.#owners.values()].filter(({ isAlive }) => isAlive).map(({ slot }) => slot));
    const slot = Array.from({ length: SLOTS }, (_, index) => index).find((index) => !taken.has(index));
    if (slot === undefined) throw new Error(`there are ${SLOTS} owners already`);
    this.#owners.set(this.#last, { slot, isAlive: true });
    return { owner: this.#last, slot };
  }

  /** The process of the owner is dead. */
  bury(owner: number): void {
    const found = this.#owners.get(owner);
    if (found !== undefined) found.isAlive = false;
  }

  isAlive(owner: number): boolean {
    return this.#owners.get(owner)?.isAlive === true;
  }

  /** A process that was taken for dead has connected again. */
  revive(owner: number): void {
    const found = this.#owners.get(owner);
    if (found?.isAlive !== false) return;
    found.isAlive = true;
  }
}
