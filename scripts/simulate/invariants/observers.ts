// Enters every change of the storage in the ledgers, and describes it for the trace.

import type { DeliveryLease } from '../../../src/storage/delivery-records.ts';
import type { FlowDecision, NewRun, Recovery } from '../../../src/storage/runs/run-records.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import type { OperationName } from '../memory-storage/operations.ts';
import type { BatchRules } from './batch-rules.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import type { FlowRules } from './flow-rules.ts';
import type { OverflowRules } from './overflow-rules.ts';
import type { RunLedger } from './run-ledger.ts';

interface Ledgers {
  runs: RunLedger;
  deliveries: DeliveryLedger;
  overflow: OverflowRules;
  flow: FlowRules;
  batches: BatchRules;
}

type Observer<Name extends OperationName> = (
  owner: number,
  args: Parameters<Storage[Name]>,
  result: Awaited<ReturnType<Storage[Name]>>,
) => string;

/** By the name of a call. Calls that change nothing have none. */
export type Observers = { readonly [Name in OperationName]?: Observer<Name> };

export function createObservers(ledgers: Ledgers): Observers {
  return { ...runObservers(ledgers), ...deliveryObservers(ledgers) };
}

function runObservers({ runs, deliveries, flow, batches }: Ledgers): Observers {
  const recover = (_owner: number, _args: unknown[], { recovered, poisoned }: Recovery): string => {
    for (const runId of poisoned) runs.end(runId, 'poisoned');
    return recovered + poisoned.length > 0 ? `${recovered} recovered, poisoned: ${poisoned.join(', ')}` : '';
  };
  const noteDecision = (run: NewRun, decision: FlowDecision): void => {
    flow.create(run, decision);
    for (const runId of decision.superseded) runs.end(runId, 'superseded');
    if (decision.state === 'dropped' || decision.state === 'skipped') runs.end(run.runId, decision.state);
  };
  return {
    createRun(owner, [run], result) {
      const isNew = result.kind === 'created' && runs.create(owner, run);
      if (isNew) deliveries.insert(owner, run.turn.deliveries);
      const decision = isNew ? result.flow : undefined;
      if (decision !== undefined) noteDecision(run, decision);
      return `${run.runId} ${result.kind} ${decision?.state ?? run.turn.status}`;
    },
    advanceRun(owner, [lease, turn], isStored) {
      if (runs.advance(owner, lease, turn, isStored)) deliveries.insert(owner, turn.deliveries);
      return `${lease.runId} epoch ${lease.epoch} turn ${lease.turns} ${turn.status} ${isStored}`;
    },
    claimDueRuns(owner, _limits, claimed) {
      runs.claim(owner, claimed);
      flow.claim(claimed);
      batches.claim(claimed);
      return claimed.map(({ lease: { runId, epoch } }) => `${runId} epoch ${epoch}`).join(', ');
    },
    renewLeases(_owner, [leases], stale) {
      runs.renew(leases, stale);
      return `${leases.map(({ runId }) => runId).join(', ')}, stale: ${stale.join(', ')}`;
    },
    releaseRun(_owner, [lease]) {
      runs.release(lease);
      return `${lease.runId} epoch ${lease.epoch}`;
    },
    cancelRun(_owner, [runId], result) {
      if (result?.cancelled === true) runs.end(runId, 'cancelled');
      return `${runId} ${result?.cancelled}`;
    },
    storeReply: (_owner, [{ runId, choice }], { kind }) => `${runId} ${choice} ${kind}`,
    recoverRuns: recover,
    reapOwners: recover,
  };
}

function deliveryObservers({ runs, deliveries, overflow }: Ledgers): Observers {
  return {
    recordAttempt(owner, [lease, attempt, next, waiting], answer) {
      const isNew = deliveries.record(lease, answer);
      if (waiting !== null && isNew && answer !== 'dropped') {
        const isTurnNew = runs.advance(owner, waiting.lease, waiting.turn, answer === 'recorded');
        if (isTurnNew) deliveries.insert(owner, waiting.turn.deliveries);
      }
      const turn = waiting === null ? '' : ` with turn ${waiting.lease.turns}`;
      return `${lease.id} epoch ${lease.epoch} attempt ${attempt.attempt} ${next.status} ${answer}${turn}`;
    },
    claimDeliveries(owner, _limits, claimed) {
      deliveries.claim(owner, claimed);
      return listed(claimed);
    },
    renewDeliveries(_owner, [leases], stale) {
      deliveries.renew(leases, stale);
      return `${listed(leases)}, stale: ${stale.join(', ')}`;
    },
    releaseDeliveries(_owner, [leases]) {
      deliveries.release(leases);
      return listed(leases);
    },
    retryDeliveries(_owner, _ids, retried) {
      const ids = retried.map(({ id }) => id);
      overflow.noteRetried(ids);
      return ids.join(', ');
    },
  };
}

function listed(leases: readonly DeliveryLease[]): string {
  return leases.map(({ id, epoch }) => `${id} epoch ${epoch}`).join(', ');
}
