// When each credential of a sink was last used, since the start of this process: it tells an operator which one is safe to
// remove. Kept in memory, because a write for each request would cost as much as a run.

import type { Clock } from '../../../clock.ts';

export class CredentialUses {
  readonly #clock: Clock;
  /** By sink, then by the credential as it is stored. */
  readonly #bySink = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(sinkId: string, stored: string): void {
    let uses = this.#bySink.get(sinkId);
    if (uses === undefined) {
      uses = new Map();
      this.#bySink.set(sinkId, uses);
    }
    uses.set(stored, this.#clock());
  }

  /** Wall time in ms; null when it was not used. */
  lastUse(sinkId: string, stored: string): number | null {
    return this.#bySink.get(sinkId)?.get(stored) ?? null;
  }

  /** Forgets all other sinks, and credentials that a sink no longer has. */
  keep(sinks: ReadonlyMap<string, ReadonlySet<string>>): void {
    for (const [sinkId, uses] of this.#bySink) {
      const kept = sinks.get(sinkId);
      if (kept === undefined) this.#bySink.delete(sinkId);
      else for (const stored of uses.keys()) if (!kept.has(stored)) uses.delete(stored);
    }
  }
}
