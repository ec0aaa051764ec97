// The invariants of a history, checked at every change of the storage and at every message. check-end.ts checks the rest.

import { POISONED } from '../../../src/core/run/run-event.ts';
import type { OperationName } from '../memory-storage/operations.ts';
import type { World } from '../world.ts';
import { BatchRules } from './batch-rules.ts';
import { DeliveryLedger } from './delivery-ledger.ts';
import { FlowRules } from './flow-rules.ts';
import { createObservers, type Observers } from './observers.ts';
import { OverflowRules } from './overflow-rules.ts';
import { RunLedger } from './run-ledger.ts';

/** A call that the storage has carried out. */
export interface DoneCall {
  owner: number;
  name: OperationName;
  args: unknown[];
  result: unknown;
}

export class Invariants {
  readonly #world: World;
  readonly #runs: RunLedger;
  readonly #deliveries: DeliveryLedger;
  readonly #overflow: OverflowRules;
  readonly flow: FlowRules;
  readonly batches: BatchRules;
  readonly #observers: Observers;
  /** By idempotency key, the body that the receiver got first. */
  readonly #bodies = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
    this.#runs = new RunLedger(world);
    this.#deliveries = new DeliveryLedger(world);
    this.#overflow = new OverflowRules(world);
    this.flow = new FlowRules(world);
    this.batches = new BatchRules(world);
    const ledgers = { runs: this.#runs, deliveries: this.#deliveries, overflow: this.#overflow, flow: this.flow, batches: this.batches };
    this.#observers = createObservers(ledgers);
  }

  /** Returns the line of the trace. */
  readonly observe = ({ owner, name, args, result }: DoneCall): string => {
    const observer = this.#observers[name] as ((owner: number, args: unknown[], result: unknown) => string) | undefined;
    if (observer === undefined) return name;
    const text = observer(owner, args, result);
    this.#overflow.check();
    return text === '' ? name : `${name} ${text}`;
  };

  readonly noteError = (text: string, error: unknown): void => {
    if (text !== POISONED.message) this.#world.fail('no unexpected errors', `the engine logged "${text}": ${stackOf(error)}`);
  };

  readonly noteSend = (owner: number, deliveryId: string, key: string, body: string): void => {
    this.#deliveries.noteSend(owner, deliveryId);
    const first = this.#bodies.get(key);
    if (first !== undefined && first !== body) this.#world.fail('one key, one body', `the key ${key} came with "${first}" and "${body}"`);
    this.#bodies.set(key, body);
  };

  /** The storage takes the owner for dead. */
  readonly noteBurial = (owner: number): void => {
    this.#runs.noteBurial(owner);
    this.#deliveries.noteBurial(owner);
  };

  /** When the end of a run was stored. Null: it has not ended. */
  readonly endOf = (runId: string): number | null => this.#runs.endOf(runId);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
