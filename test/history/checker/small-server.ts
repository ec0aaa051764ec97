// A server of a few lines, in memory, that does one thing at a time: its histories are right by construction. Each
// operation happens at one moment between its begin and its end, which overlap with those of others.

import type {
  Arrival,
  DeliveryStatus,
  Entry,
  FinalDelivery,
  FinalRun,
  FinalState,
  History,
  OperationName,
  Operations,
  Outcome,
  RunStatus,
} from '../history.ts';
import { isEnded } from '../history.ts';
import { COOLDOWN_MS, FIRST_EDITION, REPLAYED, SINKS } from '../load/workload.ts';

/** `lost`: done, and the answer did not arrive. `never`: not done, and no answer either. `refused`: 503. */
export type Fate = 'told' | 'lost' | 'never' | 'refused';

export interface Span {
  fate: Fate;
  /** How long before its moment it was invoked, and how long after it returned, in ms. */
  before: number;
  after: number;
}

type Refusal = { refused: number };

const MAX_ATTEMPTS = 2;

export class SmallServer {
  readonly entries: Entry[] = [];
  readonly arrivals: Arrival[] = [];
  readonly runs: FinalRun[] = [];
  readonly deliveries: (FinalDelivery & { left: number })[] = [];
  readonly #editions = new Map(SINKS.map((sink) => [sink, [FIRST_EDITION]]));
  readonly #keys = new Map<string, FinalRun>();
  #now = 1000;
  #remembered: string | false = false;
  #passedAt = Number.NEGATIVE_INFINITY;

  pass(ms: number): void {
    this.#now += ms;
  }

  trigger(asked: Operations['trigger']['asked'], span: Span): void {
    this.#operate('trigger', asked, span, () => {
      const key = asked.key === null ? null : `${asked.sink} ${asked.key}`;
      const known = key === null ? undefined : this.#keys.get(key);
      if (known !== undefined && known.marker !== asked.marker) return { refused: 422 };
      const run = known ?? this.#start(asked.sink, asked.marker);
      if (key !== null) this.#keys.set(key, run);
      const isStream = asked.mode === 'stream';
      const events = isStream ? run.events.slice(known === undefined ? 0 : (asked.after ?? 0)) : [];
      const ending = isEnded(run.status) ? 'whole' : 'timeout';
      return { runId: run.runId, run: asked.mode === 'wait' && isEnded(run.status) ? toldRun(run) : null, events, ending };
    });
  }

  replay(run: FinalRun, span: Span): void {
    if (!REPLAYED.has(run.sink)) return;
    this.#operate('replay', { runId: run.runId }, span, () => ({ runId: this.#start(run.sink, run.marker).runId }));
  }

  cancel(run: FinalRun, span: Span): void {
    this.#operate('cancel', { runId: run.runId }, span, () => {
      if (isEnded(run.status)) return { refused: 409 };
      for (const delivery of this.deliveries) if (delivery.runId === run.runId && isOpen(delivery.status)) delivery.status = 'cancelled';
      this.end(run, 'cancelled');
      return null;
    });
  }

  lookup(run: FinalRun, span: Span): void {
    this.#operate('lookup', { runId: run.runId }, span, () => toldRun(run));
  }

  events(run: FinalRun, after: number, span: Span): void {
    this.#operate('events', { runId: run.runId, after }, span, () => ({
      events: run.events.slice(after),
      ending: isEnded(run.status) ? 'whole' : 'timeout',
    }));
  }

  list(limit: number, span: Span): void {
    this.#operate('list', { limit }, span, () => ({ runs: this.runs.slice(-limit).reverse().map(toldRun) }));
  }

  /** Ends an open run. */
  end(run: FinalRun, status: RunStatus = 'completed'): void {
    if (isEnded(run.status)) return;
    run.status = status;
    const edition = this.#editions.get(run.sink)?.[run.version - 1];
    run.output = status === 'completed' ? { edition, marker: run.marker, last_edition: edition } : null;
    const last = status === 'completed' ? { type: 'complete', output: run.output } : { type: 'error', error: { code: 'cancelled' } };
    run.events.push({ seq: run.events.length + 1, text: JSON.stringify(last) });
  }

  /** Sends an open delivery once. */
  attempt(delivery: SmallServer['deliveries'][number], status: number): void {
    if (!isOpen(delivery.status)) return;
    const { deliveryId, runId, attempts } = delivery;
    const run = this.runs.find((other) => other.runId === runId) as FinalRun;
    this.arrivals.push({ key: `${runId}:notify`, deliveryId, marker: run.marker, at: this.#now, status });
    attempts.push({ attempt: attempts.length + 1, kind: 'response', status });
    delivery.left -= 1;
    if (status !== 200 && delivery.left > 0) return;
    delivery.status = status === 200 ? 'delivered' : 'failed';
    this.end(run);
  }

  retry(delivery: SmallServer['deliveries'][number], isBulk: boolean, span: Span): void {
    this.#operate('retry', { deliveryId: delivery.deliveryId, isBulk }, span, () => {
      const isFailed = delivery.status === 'failed';
      if (isFailed) Object.assign(delivery, { status: 'queued', left: MAX_ATTEMPTS });
      if (!isFailed && !isBulk) return { refused: 409 };
      return { retried: isFailed ? [delivery.deliveryId] : [] };
    });
  }

  readDelivery({ deliveryId }: FinalDelivery, span: Span): void {
    this.#operate('readDelivery', { deliveryId }, span, () => {
      const { runId, status } = this.deliveries.find((other) => other.deliveryId === deliveryId) as FinalDelivery;
      return { deliveryId, runId, status };
    });
  }

  /** `isStale`: with If-Match of the version before the current one. */
  edit(workflow: string, edition: string, isStale: boolean | null, span: Span): void {
    const stored = this.#editions.get(workflow) as string[];
    const base = isStale === null ? null : Math.max(1, stored.length - (isStale ? 1 : 0));
    this.#operate('edit', { workflow, edition, base }, span, () => {
      if (base !== null && base !== stored.length) return { refused: 412 };
      stored.push(edition);
      return { version: stored.length };
    });
  }

  readWorkflow(workflow: string, span: Span): void {
    const stored = this.#editions.get(workflow) as string[];
    this.#operate('readWorkflow', { workflow }, span, () => ({ version: stored.length, edition: stored.at(-1) as string }));
  }

  /** Ends everything. */
  finish(): { history: History; state: FinalState } {
    for (const delivery of this.deliveries) while (isOpen(delivery.status)) this.attempt(delivery, 200);
    for (const run of this.runs) this.end(run);
    const deliveries = this.deliveries.map(({ left: _left, ...delivery }) => delivery);
    const state = { runs: this.runs, deliveries, editions: Object.fromEntries(this.#editions) };
    const entries = [...this.entries].sort((a, b) => a.returnedAt - b.returnedAt);
    return structuredClone({ history: { seed: 0, entries, faults: [], arrivals: this.arrivals }, state });
  }

  #start(sink: string, marker: string): FinalRun {
    const runId = `run_${String(this.runs.length + 1).padStart(6, '0')}`;
    const version = this.#editions.get(sink)?.length as number;
    const events = [{ seq: 1, text: JSON.stringify({ type: 'progress', run_id: runId, progress: 0 }) }];
    const run: FinalRun = { runId, sink, marker, version, status: 'waiting', output: null, events };
    this.runs.push(run);
    if (sink === 'awaited' || sink === 'background')
      this.deliveries.push({ deliveryId: `dlv_${runId}`, runId, status: 'queued', attempts: [], left: MAX_ATTEMPTS });
    if (sink === 'slow' || sink === 'awaited') return run;
    this.end(run);
    run.output = { ...run.output, ...this.#remember(sink, marker) };
    run.events.splice(-1, 1, { seq: 2, text: JSON.stringify({ type: 'complete', output: run.output }) });
    return run;
  }

  #remember(sink: string, marker: string): Record<string, unknown> {
    if (sink === 'remember') {
      const previous = this.#remembered;
      this.#remembered = marker;
      return { previous, stored: marker };
    }
    if (sink !== 'limited') return {};
    const isPassed = this.#now - this.#passedAt >= COOLDOWN_MS;
    if (isPassed) this.#passedAt = this.#now;
    return { passed: isPassed ? marker : null };
  }

  #operate<Name extends OperationName>(
    operation: Name,
    asked: Operations[Name]['asked'],
    { fate, before, after }: Span,
    perform: () => Operations[Name]['told'] | Refusal,
  ): void {
    const done = fate === 'told' || fate === 'lost' ? structuredClone(perform()) : null;
    const entry = {
      id: this.entries.length + 1,
      client: 0,
      operation,
      asked,
      invokedAt: this.#now - before,
      returnedAt: this.#now + after,
    };
    this.entries.push({ ...entry, outcome: outcomeOf<Name>(fate, done) } as unknown as Entry);
  }
}

function outcomeOf<Name extends OperationName>(
  fate: Fate,
  done: Operations[Name]['told'] | Refusal | null,
): Outcome<Operations[Name]['told']> {
  if (fate === 'refused') return { kind: 'refused', status: 503, message: '' };
  if (fate !== 'told') return { kind: 'unknown', reason: 'the connection was lost' };
  if (done !== null && 'refused' in done) return { kind: 'refused', status: done.refused, message: '' };
  return { kind: 'ok', told: done as Operations[Name]['told'] };
}

const toldRun = ({ runId, status, output }: FinalRun): Operations['lookup']['told'] => ({ runId, status, output });
const isOpen = (status: DeliveryStatus): boolean => status === 'queued' || status === 'sending';
