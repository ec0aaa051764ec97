// What the storage may do with runs, kept apart from it: no lease is held by two, no turn is stored under a stale lease or
// twice, a run ends once, and step memory is linear.

import { isTerminal } from '../../../src/core/run/run.ts';
import { LEASE_MS } from '../../../src/leases/lease.ts';
import type { ClaimedRun, Lease, MemoryUse, NewRun, Turn } from '../../../src/storage/runs/run-records.ts';
import { findRun } from '../memory-storage/state.ts';
import type { World } from '../world.ts';

interface Entry {
  readonly sinkId: string;
  /** Of the last lease. */
  epoch: number;
  owner: number;
  /** When the lease ends. Null: it is not held. */
  until: number | null;
  turns: number;
  /** How it ended, and when that was stored. */
  end: string | null;
  endedAt: number | null;
}

export class RunLedger {
  readonly #world: World;
  readonly #runs = new Map<string, Entry>();
  /** By sink and key. */
  readonly #versions = new Map<string, number>();
  readonly #usedVersions = new Set<number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** False if the run was stored before. */
  create(owner: number, { runId, sinkId, turn }: NewRun): boolean {
    if (this.#runs.has(runId)) return false;
    const entry: Entry = { sinkId, epoch: 1, owner, until: null, turns: 0, end: null, endedAt: null };
    this.#runs.set(runId, entry);
    this.#store(runId, entry, owner, turn);
    return true;
  }

  /** True if the turn was stored now. */
  advance(owner: number, { runId, epoch, turns }: Lease, turn: Turn, isStored: boolean): boolean {
    const entry = this.#runs.get(runId);
    if (entry === undefined) return this.#fail('a run is stored before its turns', `${runId} took turn ${turns} first`);
    if (!isStored) {
      // It may have been released, to be planned again.
      if (entry.epoch === epoch && findRun(this.#world.state, runId)?.status === 'queued') entry.until = null;
      return false;
    }
    if (entry.turns === turns + 1 && entry.epoch === epoch) return false;
    if (entry.epoch !== epoch) return this.#fail('no turn under a stale lease', `${runId}: epoch ${epoch}, but it is ${entry.epoch}`);
    if (entry.turns !== turns)
      return this.#fail('turns follow one another', `${runId}: turn ${turns} was stored after ${entry.turns} turns`);
    this.#store(runId, entry, owner, turn);
    return true;
  }

  claim(owner: number, claimed: readonly ClaimedRun[]): void {
    const { now } = this.#world;
    for (const { lease } of claimed) {
      const entry = this.#runs.get(lease.runId) as Entry;
      if (entry.until !== null && entry.until > now)
        this.#fail(
          'no lease held by two',
          `${lease.runId} is leased by ${entry.owner} for ${entry.until - now} ms more, and ${owner} got it`,
        );
      Object.assign(entry, { epoch: lease.epoch, owner, until: now + LEASE_MS });
      if (entry.turns !== lease.turns)
        this.#fail('no stored turn is lost', `${lease.runId} took ${entry.turns} turns, but has ${lease.turns}`);
    }
  }

  renew(leases: readonly Lease[], stale: readonly string[]): void {
    for (const { runId, epoch } of leases) {
      const entry = this.#runs.get(runId);
      if (entry === undefined || stale.includes(runId)) continue;
      if (entry.epoch !== epoch) this.#fail('no stale lease is renewed', `${runId}: epoch ${epoch}, but it is ${entry.epoch}`);
      entry.until = this.#world.now + LEASE_MS;
    }
  }

  release({ runId, epoch }: Lease): void {
    const entry = this.#runs.get(runId);
    if (entry?.epoch === epoch) entry.until = null;
  }

  noteBurial(owner: number): void {
    for (const entry of this.#runs.values()) if (entry.owner === owner) entry.until = null;
  }

  /** When the end of a run was stored. Null: it has not ended. */
  endOf(runId: string): number | null {
    return this.#runs.get(runId)?.endedAt ?? null;
  }

  end(runId: string, how: string): void {
    const entry = this.#runs.get(runId);
    if (entry === undefined) return;
    if (entry.end !== null) this.#fail('a run ends once', `${runId} was ${entry.end}, and then ${how}`);
    entry.end = how;
    entry.endedAt = this.#world.now;
    entry.until = null;
    entry.epoch += 1;
  }

  #store(runId: string, entry: Entry, owner: number, turn: Turn): void {
    entry.turns += 1;
    entry.owner = owner;
    entry.until = turn.status === 'running' ? this.#world.now + LEASE_MS : null;
    if (entry.end !== null) this.#fail('a run ends once', `${runId} was ${entry.end}, and took a turn then`);
    if (isTerminal(turn.status)) {
      entry.end = turn.status;
      entry.endedAt = this.#world.now;
    }
    for (const use of turn.memory) this.#useMemory(runId, entry.sinkId, use);
  }

  #useMemory(runId: string, sinkId: string, { key, version, next, value }: MemoryUse): void {
    const name = `${sinkId} ${key}`;
    const current = this.#versions.get(name) ?? 0;
    if (version !== current)
      this.#fail('step memory is linear', `${runId} planned on version ${version} of ${name}, but it was ${current}`);
    if (value === null) return;
    if (this.#usedVersions.has(next)) this.#fail('step memory is linear', `${runId} gave ${name} version ${next}, which another value has`);
    this.#usedVersions.add(next);
    this.#versions.set(name, next);
    const stored = this.#world.state.memory.get(name)?.version;
    if (stored !== next) this.#fail('step memory is linear', `${name} has version ${stored}, but ${runId} gave it ${next}`);
  }

  #fail(invariant: string, text: string): false {
    this.#world.fail(invariant, text);
    return false;
  }
}
