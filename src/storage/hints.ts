// Hints between the owners of one database in one process (storage.ts): each change that an owner makes is announced to the
// others once it is on disk.

import type { FlowDecision, NewRun, Recovery, Turn } from './runs/run-records.ts';
import type { Hint, Storage } from './storage.ts';

type Listener = (hint: Hint) => void;

export class HintExchange {
  readonly #listeners = new Map<Listener, number>();

  /** Returns a function that ends the watching. */
  watch(owner: number, listener: Listener): () => void {
    this.#listeners.set(listener, owner);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls the listeners of all other owners. */
  announce(by: number, hint: Hint): void {
    for (const [listener, owner] of [...this.#listeners]) if (owner !== by) listener(hint);
  }
}

/** Returns the same storage, except that it announces its changes. */
export function announceChanges(storage: Storage, announce: Listener): Storage {
  return {
    ...storage,
    ...announcingRuns(storage, announce),
    ...announcingDeliveries(storage, announce),
    ...announcingEdits(storage, announce),
  };
}

type RunWrites = Pick<
  Storage,
  'createRun' | 'createRuns' | 'advanceRun' | 'releaseRun' | 'recoverRuns' | 'reapOwners' | 'cancelRun' | 'storeReply'
>;

function announcingRuns(storage: Storage, announce: Listener): RunWrites {
  return {
    async createRun(run) {
      const result = await storage.createRun(run);
      if (result.kind === 'created') announceNew(announce, run, result.flow);
      else if (result.kind === 'collected') announceFlow(announce, result.flow);
      return result;
    },
    async createRuns(runs, key) {
      const created = await storage.createRuns(runs, key);
      const { isStored, results } = created;
      for (const [index, run] of runs.entries()) {
        const result = results[index];
        if (isStored && result?.kind === 'created') announceNew(announce, run, result.flow);
        else if (isStored && result?.kind === 'collected') announceFlow(announce, result.flow);
      }
      return created;
    },
    async advanceRun(lease, turn) {
      const isStored = await storage.advanceRun(lease, turn);
      if (isStored) announceTurn(announce, lease.runId, turn);
      else announce({ kind: 'due' });
      return isStored;
    },
    releaseRun: (lease, delayMs) => announcingDue(storage.releaseRun(lease, delayMs), announce),
    recoverRuns: (owner) => announcingRecovery(storage.recoverRuns(owner), announce),
    storeReply: (reply) => announcingDue(storage.storeReply(reply), announce),
    reapOwners: () => announcingRecovery(storage.reapOwners(), announce),
    async cancelRun(runId) {
      const result = await storage.cancelRun(runId);
      if (result?.cancelled === true) announceEvents(announce, runId);
      // It may have started held runs.
      if (result?.cancelled === true) announce({ kind: 'due' });
      return result;
    },
  };
}

type DeliveryWrites = Pick<Storage, 'recordAttempt' | 'releaseDeliveries' | 'retryDeliveries'>;

function announcingDeliveries(storage: Storage, announce: Listener): DeliveryWrites {
  return {
    async recordAttempt(delivery, attempt, next, waitingRun) {
      const result = await storage.recordAttempt(delivery, attempt, next, waitingRun);
      if (result === 'recorded' && waitingRun !== null) announceTurn(announce, waitingRun.lease.runId, waitingRun.turn);
      else announce({ kind: 'due' });
      return result;
    },
    releaseDeliveries: (leases) => announcingDue(storage.releaseDeliveries(leases), announce),
    retryDeliveries: (ids) => announcingDue(storage.retryDeliveries(ids), announce),
  };
}

function announcingEdits(storage: Storage, announce: Listener): Pick<Storage, 'changeDefinitions'> {
  return {
    async changeDefinitions(edit) {
      const result = await storage.changeDefinitions(edit);
      if (result.kind === 'changed') announce({ kind: 'definitions', version: result.definitions.version });
      return result;
    },
  };
}

async function announcingRecovery(recovering: Promise<Recovery>, announce: Listener): Promise<Recovery> {
  const recovery = await recovering;
  const { recovered, poisoned } = recovery;
  if (poisoned.length > 0) announce({ kind: 'events', runIds: poisoned });
  if (recovered + poisoned.length > 0) announce({ kind: 'due' });
  return recovery;
}

async function announcingDue<Result>(change: Promise<Result>, announce: Listener): Promise<Result> {
  const result = await change;
  announce({ kind: 'due' });
  return result;
}

function announceNew(announce: Listener, { runId, turn }: NewRun, flow: FlowDecision | undefined): void {
  announceTurn(announce, runId, turn);
  if (flow !== undefined) announceFlow(announce, flow);
}

function announceFlow(announce: Listener, flow: FlowDecision): void {
  if (flow.superseded.length > 0) announce({ kind: 'events', runIds: flow.superseded });
  if (flow.dueAt !== null) announce({ kind: 'due' });
}

function announceTurn(announce: Listener, runId: string, turn: Turn): void {
  announceEvents(announce, runId);
  if (turn.wakeAt !== null || turn.deliveries.some(({ isLeased }) => !isLeased)) announce({ kind: 'due' });
}

function announceEvents(announce: Listener, runId: string): void {
  announce({ kind: 'events', runIds: [runId] });
}
