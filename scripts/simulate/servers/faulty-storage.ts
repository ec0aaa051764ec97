// The way between an engine and the storage: calls and answers are delayed, reordered and lost, and calls are refused. The
// calls of a dead process may still arrive, but it gets no answers.

import { AppError, UnknownOutcome } from '../../../src/errors.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { createOperations, type OperationName } from '../memory-storage/operations.ts';
import type { Actor } from '../time/virtual-time.ts';
import type { World } from '../world.ts';

export interface Caller extends Actor {
  readonly name: string;
  readonly owner: number;
}

type Methods = Record<OperationName, (...args: unknown[]) => unknown>;

/** These change nothing, so that nothing is unknown about them. */
const READS: ReadonlySet<OperationName> = new Set([
  'nextWake',
  'listDueOrigins',
  'readMemory',
  'getRun',
  'getOutcome',
  'readEvents',
  'findStream',
  'findReply',
  'findWorkflow',
  'loadDefinitions',
]);

export function createFaultyStorage(world: World, caller: Caller): Pick<Storage, OperationName> {
  const operations = createOperations(world.state, caller.owner) as Methods;
  const names = Object.keys(operations) as OperationName[];
  const methods = names.map((name) => [
    name,
    (...args: unknown[]) =>
      new Promise((resolve, reject) => new Call(world, caller, operations[name], name, copied(args), { resolve, reject }).begin()),
  ]);
  return Object.fromEntries(methods) as Pick<Storage, OperationName>;
}

interface Settling {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

class Call {
  readonly #world: World;
  readonly #caller: Caller;
  readonly #operation: (...args: unknown[]) => unknown;
  readonly #name: OperationName;
  readonly #args: unknown[];
  readonly #settling: Settling;

  constructor(
    world: World,
    caller: Caller,
    operation: (...args: unknown[]) => unknown,
    name: OperationName,
    args: unknown[],
    settling: Settling,
  ) {
    this.#world = world;
    this.#caller = caller;
    this.#operation = operation;
    this.#name = name;
    this.#args = args;
    this.#settling = settling;
  }

  begin(): void {
    const { faults } = this.#world;
    const { rates } = faults;
    if (faults.happens('refused call', rates.refused)) return this.#answerLater(() => this.#settling.reject(refusal()));
    if (!READS.has(this.#name) && this.#world.random.happens(rates.lost)) return this.#loseAnswer();
    // Most calls take their time either before they are done or after it.
    const delayMs = this.#delay();
    const way = this.#world.random.next();
    if (way < 0.45) this.#answerLater(this.#perform(), delayMs);
    else if (way < 0.9) this.#after(delayMs, () => this.#settleNow(this.#perform()));
    else this.#after(delayMs, () => this.#answerLater(this.#perform()));
  }

  /** The caller learns only that the connection was lost. */
  #loseAnswer(): void {
    const { faults, random } = this.#world;
    const fail = (): void => this.#settling.reject(new UnknownOutcome());
    if (faults.happens('lost answer, done later', faults.rates.late)) {
      this.#answerLater(fail);
      this.#world.noteSlow(8000);
      return this.#after(random.between(0, 8000), () => void this.#perform());
    }
    const isDone = random.happens(0.5);
    faults.count(isDone ? 'lost answer, done' : 'lost answer, not done');
    if (!isDone) return this.#answerLater(fail);
    this.#after(this.#delay(), () => {
      this.#perform();
      this.#answerLater(fail);
    });
  }

  /** Does what the call asks for. Returns the function that answers it. */
  #perform(): () => void {
    const { state, random, note, invariants } = this.#world;
    const { owner, name: by } = this.#caller;
    // The sessions of a buried process are closed, and its last calls never arrive.
    const isGone = this.#caller.state === 'dead' && (!state.owners.isAlive(owner) || random.happens(0.5));
    if (isGone) return () => undefined;
    state.owners.revive(owner);
    const { resolve, reject } = this.#settling;
    try {
      const result = this.#operation(...this.#args);
      note(by, invariants.observe({ owner, name: this.#name, args: this.#args, result }));
      return () => resolve(result);
    } catch (error) {
      note(by, `${this.#name} threw ${String(error)}`);
      return () => reject(error);
    }
  }

  #delay(): number {
    const { random, faults } = this.#world;
    const { latencyMs, slow } = faults.rates;
    // Watchers are held to the time in which they must learn of an end.
    if (this.#name === 'getOutcome' || this.#name === 'readEvents' || !faults.happens('slow call', slow)) return random.next() * latencyMs;
    const slowMs = random.happens(0.2) ? random.between(5000, 25_000) : random.between(0, 3000);
    this.#world.noteSlow(slowMs);
    return slowMs;
  }

  #answerLater(answer: () => void, delayMs = this.#delay()): void {
    this.#world.time.schedule(delayMs, this.#caller, answer);
  }

  /** What happens on the way does not depend on the caller any more. */
  #after(delayMs: number, act: () => void): void {
    this.#world.time.schedule(delayMs, null, act);
  }

  #settleNow(answer: () => void): void {
    this.#world.time.schedule(0, this.#caller, answer);
  }
}

function refusal(): AppError {
  return new AppError('unavailable', 'the database is away; try again', { retryAfterSeconds: 1 });
}

/** The engine counts the turns of a lease that it has passed on. */
function copied(args: unknown[]): unknown[] {
  return args.map((arg) => {
    if (Array.isArray(arg)) return arg.map((entry) => copiedObject(entry));
    const value = copiedObject(arg);
    if (typeof value === 'object' && value !== null && 'lease' in value) return { ...value, lease: copiedObject(value.lease) };
    return value;
  });
}

function copiedObject(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? { ...value } : value;
}
