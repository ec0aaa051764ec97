// The rules of batches: every acknowledged request is in the batch that was acknowledged, and in no other; a batch is not larger
// than its sink allows; and it starts in time, unless faults keep the servers from it.

import type { ClaimedRun } from '../../../src/storage/runs/run-records.ts';
import { FLOWS } from '../workload/flows.ts';
import type { World } from '../world.ts';

/** How long after its time a batch may start once the faults have stopped. */
const MAX_LATE_MS = 30_000;

export class BatchRules {
  readonly #world: World;
  readonly #started = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  claim(claimed: readonly ClaimedRun[]): void {
    const { now, calmAt, fail } = this.#world;
    for (const { lease, sinkId, createdAt, body } of claimed) {
      const batch = FLOWS.get(sinkId)?.batch;
      if (batch === undefined || this.#started.has(lease.runId)) continue;
      this.#started.add(lease.runId);
      const { length } = numbersIn(body);
      if (length > batch.size) fail('flow control: size of a batch', `${lease.runId} has ${length} requests, more than ${batch.size}`);
      const lateMs = now - Math.max(createdAt + batch.seconds * 1000, calmAt);
      if (lateMs > MAX_LATE_MS) fail('flow control: a batch starts in time', `${lease.runId} started ${lateMs} ms late`);
    }
  }

  /** At the end of the history. */
  checkEnd(acknowledged: readonly { runId: string; number: number | null; sinkId: string }[]): void {
    const { state, fail } = this.#world;
    const found = new Map<number, string>();
    for (const { runId, bodyKind, body } of state.runs.values()) {
      for (const number of bodyKind === 'batch' ? numbersIn(body) : []) {
        if (found.has(number))
          fail('flow control: every request is in one batch', `request ${number} is in ${found.get(number)} and ${runId}`);
        found.set(number, runId);
      }
    }
    for (const { runId, number, sinkId } of acknowledged) {
      if (number === null || FLOWS.get(sinkId)?.batch === undefined || found.get(number) === runId) continue;
      fail('flow control: every request is in one batch', `request ${number} was acknowledged by ${runId}, and is in ${found.get(number)}`);
    }
  }
}

function numbersIn(body: Uint8Array): number[] {
  return (JSON.parse(Buffer.from(body).toString()) as { number: number }[]).map(({ number }) => number);
}
