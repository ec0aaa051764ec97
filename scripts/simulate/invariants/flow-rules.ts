// The rules of flow control: no more runs of a sink are in flight than its limit, runs of one key follow one another in the order
// in which they were stored, only a held run is replaced, by a later one of its key, and a cooldown skips exactly what follows.

import { isTerminal } from '../../../src/core/run/run.ts';
import { flowKeySelector } from '../../../src/core/sink/limits/flow-setting.ts';
import type { ClaimedRun, FlowDecision, NewRun } from '../../../src/storage/runs/run-records.ts';
import { findRun } from '../memory-storage/state.ts';
import { FLOWS } from '../workload/flows.ts';
import type { World } from '../world.ts';

interface Entry {
  runId: string;
  key: string;
  isStarted: boolean;
}

export class FlowRules {
  readonly #world: World;
  /** By sink, its runs in the order in which they were stored. */
  readonly #runs = new Map<string, Entry[]>();
  /** By sink and key, when the last run was accepted that was not skipped. */
  readonly #acceptedAt = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  create({ runId, sinkId, flowKey }: NewRun, { state, superseded }: FlowDecision): void {
    const ofSink = this.#runs.get(sinkId) ?? [];
    const flow = FLOWS.get(sinkId);
    const key = flow === undefined || flowKeySelector(flow) === null ? '' : (flowKey ?? '');
    if (flow?.cooldown !== undefined) this.#checkCooldown(`${sinkId} ${key}`, runId, flow.cooldown.seconds, state === 'skipped');
    for (const other of superseded) {
      const entry = ofSink.find((one) => one.runId === other);
      if (entry === undefined || entry.isStarted || entry.key !== key)
        this.#world.fail('flow control: replacing', `${runId} has replaced ${other}, which was not held before it`);
    }
    this.#runs.set(sinkId, [...ofSink, { runId, key, isStarted: false }]);
  }

  claim(claimed: readonly ClaimedRun[]): void {
    for (const { lease, sinkId } of claimed) {
      const ofSink = this.#runs.get(sinkId) ?? [];
      const index = ofSink.findIndex(({ runId }) => runId === lease.runId);
      const entry = ofSink[index];
      if (entry === undefined || entry.isStarted) continue;
      entry.isStarted = true;
      this.#checkStart(sinkId, entry, ofSink.slice(0, index), ofSink);
    }
  }

  /** At the end of the history. */
  checkEnd(): void {
    const [line] = this.#world.state.lines;
    if (line !== undefined) this.#world.fail('flow control: nothing is left', `${line.run.runId} is ${line.state}`);
  }

  #checkStart(sinkId: string, { runId, key }: Entry, earlier: readonly Entry[], all: readonly Entry[]): void {
    const { fail } = this.#world;
    const flow = FLOWS.get(sinkId);
    const inFlight = all.filter((other) => other.isStarted && !this.#hasEnded(other.runId)).length;
    if (flow?.maxConcurrent != null && inFlight > flow.maxConcurrent)
      fail('flow control: max_concurrent', `${inFlight} runs of ${sinkId} are in flight, and the limit is ${flow.maxConcurrent}`);
    const before = earlier.find((other) => other.key === key && !this.#hasEnded(other.runId));
    if (flow?.orderingKey != null && before !== undefined)
      fail('flow control: order', `${runId} has started before the end of ${before.runId}, which came earlier with its key`);
  }

  #checkCooldown(name: string, runId: string, seconds: number, isSkipped: boolean): void {
    const { now, fail } = this.#world;
    const isRunning = now < (this.#acceptedAt.get(name) ?? 0) + seconds * 1000;
    if (isRunning !== isSkipped)
      fail('flow control: cooldown', `${runId} ${isSkipped ? 'is skipped' : 'starts'}, but the cooldown of ${name} says otherwise`);
    if (!isSkipped) this.#acceptedAt.set(name, now);
  }

  #hasEnded(runId: string): boolean {
    const run = findRun(this.#world.state, runId);
    return run === undefined || isTerminal(run.status);
  }
}
