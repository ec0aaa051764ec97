// Decides which entry a refused trigger counts towards. The number of entries is bounded: beyond the bounds, refusals are
// folded into one entry per client, and finally into one of all clients.

import type { RejectionChange } from '../../../storage/refusals/rejection-store.ts';

export type RefusedTrigger = Omit<RejectionChange, 'position' | 'folded' | 'count' | 'firstAt' | 'lastAt'>;

export interface RejectionEntry {
  /** Counts only refusals that are not stored yet. */
  readonly change: RejectionChange;
  /** By a monotonic clock, in ms. */
  readonly openedAt: number;
  /** Sink, reason and client. */
  readonly source: string;
}

const MAX_ENTRIES = 1000;
/** The remaining entries are for floods. */
const MAX_UNFOLDED = 500;
/** Per source; these entries differ in method, path or message. */
const MAX_UNFOLDED_OF_SOURCE = 16;

export class RejectionEntries {
  readonly #entries = new Map<string, RejectionEntry>();
  readonly #unfoldedBySource = new Map<string, number>();

  /** Counts the refusal and returns its entry. `now` is server time, `elapsed` is by a monotonic clock. */
  count(refusal: RefusedTrigger, now: number, elapsed: number): RejectionEntry {
    const entry = this.#find(refusal, now, elapsed);
    const { change } = entry;
    change.count += 1;
    change.lastAt = now;
    if (change.folded === null) return entry;
    const { method, path, message, clientIp } = refusal;
    Object.assign(change, { method, path, message, clientIp });
    return entry;
  }

  /** Forgets entries that were opened before `elapsed` and are no longer needed. */
  forget(elapsed: number, isNeeded: (entry: RejectionEntry) => boolean): void {
    for (const [key, entry] of this.#entries) if (entry.openedAt < elapsed && !isNeeded(entry)) this.#remove(key, entry);
  }

  #find(refusal: RefusedTrigger, now: number, openedAt: number): RejectionEntry {
    const { sinkId, appId, method, path, status, reason, message, clientIp } = refusal;
    const kind = `${status} ${reason}`;
    const source = JSON.stringify([sinkId, kind, clientIp]);
    const open = (key: string, folded: RejectionChange['folded'], shared: Partial<RefusedTrigger> = {}): RejectionEntry => {
      const change = { ...refusal, ...shared, position: null, folded, count: 0, firstAt: now, lastAt: now };
      const entry = { change, openedAt, source };
      this.#entries.set(key, entry);
      return entry;
    };

    const exact = JSON.stringify([source, appId, method, path, message]);
    const known = this.#entries.get(exact);
    if (known !== undefined) return known;
    const unfolded = this.#unfoldedBySource.get(source) ?? 0;
    if (unfolded < MAX_UNFOLDED_OF_SOURCE && this.#entries.size < MAX_UNFOLDED) {
      this.#unfoldedBySource.set(source, unfolded + 1);
      return open(exact, null);
    }
    const ofSource = this.#entries.get(source);
    if (ofSource !== undefined) return ofSource;
    if (this.#entries.size < MAX_ENTRIES) return open(source, 'requests', sinkId === null ? { appId: null } : {});
    return this.#entries.get(kind) ?? open(kind, 'clients', { sinkId: null, appId: null });
  }

  #remove(key: string, { change, source }: RejectionEntry): void {
    this.#entries.delete(key);
    if (change.folded !== null) return;
    const left = (this.#unfoldedBySource.get(source) as number) - 1;
    if (left === 0) this.#unfoldedBySource.delete(source);
    else this.#unfoldedBySource.set(source, left);
  }
}
