// `sluice send --count`: sends many requests to one sink at a rate, and prints a summary.

import type { Submitted, TriggerOptions } from '../../client/client.ts';
import { RefusedError } from '../../client/client-error.ts';
import { describeError } from '../describe-error.ts';
import { ExitError, FAILED } from '../exit-error.ts';
import type { Io } from '../io.ts';
import { printHint, printLine } from '../output/output.ts';
import { createProgress } from '../output/progress.ts';
import { type Pace, runPaced } from './run-paced.ts';

export interface SendManyOptions extends Omit<Pace, 'maxConcurrent'> {
  isVerbose: boolean;
  /** Creates the request with this index. */
  requestOf(index: number): Promise<TriggerOptions>;
  /** Rejects with RefusedError or UnreachableError, or when the request's signal is aborted. */
  submit(request: TriggerOptions): Promise<Submitted>;
}

const MAX_IN_FLIGHT = 64;
const TIMEOUT_MS = 30_000;
/** The rate is kept when no request starts later than this. */
const MAX_LATE_MS = 1000;

/** Rejects with ExitError 1 when a request was not accepted, and with the reason of `stop` when it is aborted. */
export async function sendMany(many: SendManyOptions, io: Io): Promise<void> {
  const tally = new Tally();
  const progress = createProgress(io);
  const showsProgress = !many.isVerbose && io.terminalColumns() !== null;
  const inFlight = new Set<AbortController>();
  // One listener for all requests: Node would report one per request as a leak.
  many.stop.addEventListener('abort', () => inFlight.forEach((controller) => void controller.abort(many.stop.reason)), { once: true });
  const start = performance.now();
  const lateMs = await runPaced({ ...many, maxConcurrent: MAX_IN_FLIGHT }, async (index) => {
    const outcome = await attempt(many, index, inFlight);
    tally.add(outcome);
    if (many.isVerbose) printHint(io, `#${index + 1} ${outcomeText(outcome)} in ${outcome.ms.toFixed(1)} ms`);
    if (showsProgress) progress.show(Math.floor((tally.sent * 100) / many.count), `${tally.sent} of ${many.count}`);
  });
  progress.close();
  for (const line of tally.lines(performance.now() - start)) printLine(io, line);
  if (lateMs > MAX_LATE_MS)
    printHint(io, `the rate was not held: requests left up to ${seconds(lateMs)} late, with at most ${MAX_IN_FLIGHT} in flight`);
  many.stop.throwIfAborted();
  if (tally.accepted < tally.sent) throw new ExitError('', FAILED);
}

interface Outcome {
  isAccepted: boolean;
  /** Null without an answer. */
  status: number | null;
  /** The run's id, or why the request was not accepted. */
  text: string;
  /** From sending to the answer. */
  ms: number;
}

/** Each request has its own timer and controller: signals that outlive it would accumulate. */
async function attempt({ requestOf, submit, stop }: SendManyOptions, index: number, inFlight: Set<AbortController>): Promise<Outcome> {
  const controller = new AbortController();
  const { signal } = controller;
  inFlight.add(controller);
  let start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  try {
    const request = await requestOf(index);
    timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), TIMEOUT_MS);
    start = performance.now();
    const { status, runId } = await submit({ ...request, signal });
    return { isAccepted: true, status, text: runId ?? '', ms: performance.now() - start };
  } catch (error) {
    const status = error instanceof RefusedError ? error.status : null;
    const text = stop.aborted ? 'not waited for' : describeError(error);
    return { isAccepted: false, status, text, ms: performance.now() - start };
  } finally {
    clearTimeout(timer);
    inFlight.delete(controller);
  }
}

function outcomeText({ status, text }: Outcome): string {
  return [status, text].filter((part) => part !== null && part !== '').join(' ');
}

/** Counts the outcomes of requests. */
class Tally {
  sent = 0;
  accepted = 0;
  readonly #latencies: number[] = [];
  /** By status, or by error without one; keeps the first text of each. */
  readonly #refusals = new Map<string, { count: number; text: string }>();

  add(outcome: Outcome): void {
    const { isAccepted, status, ms } = outcome;
    this.sent += 1;
    if (status !== null) this.#latencies.push(ms);
    if (isAccepted) {
      this.accepted += 1;
      return;
    }
    const text = outcomeText(outcome);
    const key = status === null ? text : String(status);
    const known = this.#refusals.get(key) ?? { count: 0, text };
    this.#refusals.set(key, { ...known, count: known.count + 1 });
  }

  lines(elapsedMs: number): string[] {
    const sorted = this.#latencies.sort((a, b) => a - b);
    const quantile = (share: number): string => `${(sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(1)} ms`;
    return [
      `sent      ${this.sent}`,
      `accepted  ${this.accepted}`,
      `refused   ${this.sent - this.accepted}`,
      ...[...this.#refusals.values()].map(({ count, text }) => `          ${count} × ${text}`),
      `latency   ${sorted.length === 0 ? '-' : `p50 ${quantile(0.5)}, p99 ${quantile(0.99)}`}`,
      `elapsed   ${seconds(elapsedMs)}, ${(this.sent / (elapsedMs / 1000)).toFixed(1)} requests a second`,
    ];
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
