// Rules about what steps remember between runs: the values form one chain, and a cooldown lets one run pass at a time.

import type { FinalRun, History, Violation } from '../history.ts';
import { COOLDOWN_MS } from '../load/workload.ts';
import type { RunIndex } from './run-index.ts';
import { groupBy } from './run-index.ts';

const completedOf = ({ finals }: RunIndex, sink: string): FinalRun[] =>
  [...finals.values()].filter((run) => run.sink === sink && run.status === 'completed');

/** Each run of `remember` saw the value that another one had stored last, in an order that agrees with time. */
export function linearMemory(_history: History, index: RunIndex): Violation[] {
  const rule = 'linear memory';
  const runs = completedOf(index, 'remember');
  const byPrevious = groupBy(runs, ({ output }) => output?.['previous']);
  const violations: Violation[] = [];
  for (const [previous, seers] of byPrevious)
    if (seers.length > 1) violations.push({ rule, message: `${seers.map(({ runId }) => runId)} all saw ${previous}` });
  for (const { runId, marker, output } of runs)
    if (output?.['stored'] !== marker) violations.push({ rule, message: `${runId} of ${marker} stored ${output?.['stored']}` });
  const order: FinalRun[] = [];
  for (let run = byPrevious.get(false)?.[0]; run !== undefined && order.length < runs.length; run = byPrevious.get(run.marker)?.[0])
    order.push(run);
  const rest = new Set(runs);
  for (const run of order) rest.delete(run);
  for (const { runId, output } of rest)
    violations.push({ rule, message: `${runId} saw ${output?.['previous']}, which does not go back to the first value` });
  return [...violations, ...againstTime(order, index)];
}

/** Walks back from the newest value: a run that ended before an older one in the chain began is out of order. */
function againstTime(order: readonly FinalRun[], { knownEndOf, startOf }: RunIndex): Violation[] {
  const violations: Violation[] = [];
  let earliest: { run: FinalRun; endedAt: number } | null = null;
  for (const run of [...order].reverse()) {
    const { invokedAt } = startOf(run);
    if (earliest !== null && earliest.endedAt < invokedAt)
      violations.push({
        rule: 'linear memory',
        message: `${earliest.run.runId} saw a value after ${run.runId}, which was asked for when it had ended`,
      });
    const endedAt = knownEndOf(run.runId);
    if (earliest === null || endedAt < earliest.endedAt) earliest = { run, endedAt };
  }
  return violations;
}

/** Server time counts whole milliseconds. */
const ROUNDING_MS = 2;
/** The server records a step of the wall clock within this time. A later crash counts it as elapsed time. */
const CLOCK_RECORDED_MS = 5000;

/** Two runs that passed the limit are apart by its cooldown, whatever the wall clock did. */
export function cooldowns({ faults }: History, index: RunIndex): Violation[] {
  const passes = completedOf(index, 'limited')
    .filter(({ output }) => output?.['passed'] !== null)
    .map((run) => ({ run, invokedAt: index.startOf(run).invokedAt, returnedAt: index.knownEndOf(run.runId) }))
    .sort((a, b) => a.invokedAt - b.invokedAt);
  const restarts = faults.filter(({ name, detail }) => name === 'sync' || detail.includes('SIG'));
  const steps = faults.filter(({ name }) => name === 'clock');
  const lost = restarts.filter(({ endedAt, beganAt }) =>
    steps.some((step) => step.beganAt > beganAt - CLOCK_RECORDED_MS && step.beganAt < endedAt),
  );
  return passes.flatMap((earlier, place) =>
    passes.slice(place + 1).flatMap((later): Violation[] => {
      const apartMs = Math.max(earlier.returnedAt, later.returnedAt) - earlier.invokedAt;
      const isExcused = lost.some(({ beganAt, endedAt }) => endedAt > earlier.invokedAt && beganAt < later.returnedAt);
      if (apartMs >= COOLDOWN_MS - ROUNDING_MS || isExcused) return [];
      return [{ rule: 'cooldowns', message: `${earlier.run.runId} and ${later.run.runId} passed within ${Math.ceil(apartMs)} ms` }];
    }),
  );
}
