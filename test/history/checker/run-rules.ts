// Rules about runs: none is missing or made up, a request is one run, a run ends once, and every answer agrees with that.

import {
  type Entry,
  endOf,
  entriesOf,
  type FinalRun,
  type History,
  INTERNAL_ERROR,
  isEnded,
  shown,
  type ToldStream,
  toldOf,
  type Violation,
} from '../history.ts';
import type { Observation, RunIndex } from './run-index.ts';
import { groupBy, isOf } from './run-index.ts';

/** An acknowledged run is in the final state, with the request that it was acknowledged for. */
export function acknowledgedRuns(history: History, { finals }: RunIndex): Violation[] {
  const rule = 'acknowledged run';
  const violations: Violation[] = [];
  const expectStored = (entry: Entry, runId: string, isRight: (run: FinalRun) => boolean): void => {
    const run = finals.get(runId);
    if (run === undefined) violations.push({ rule, message: `${runId} is missing; acknowledged by ${shown(entry)}` });
    else if (!isRight(run))
      violations.push({ rule, message: `${runId} is the run of ${run.sink} ${run.marker}, but was told by ${shown(entry)}` });
  };
  for (const entry of entriesOf(history, 'trigger')) {
    const { sink, marker } = entry.asked;
    const runId = toldOf(entry)?.runId;
    if (runId !== undefined) expectStored(entry, runId, (run) => run.sink === sink && run.marker === marker);
  }
  for (const entry of entriesOf(history, 'replay')) {
    const runId = toldOf(entry)?.runId;
    const original = finals.get(entry.asked.runId);
    if (runId !== undefined) expectStored(entry, runId, (run) => run.sink === original?.sink && run.marker === original.marker);
  }
  return violations;
}

/** The runs of a request are the one that its triggers started, and one for each replay. What was refused left none. */
export function runsOfRequests(history: History, { finals, runsByMarker, triggersByMarker }: RunIndex): Violation[] {
  const replays = groupBy(entriesOf(history, 'replay'), ({ asked }) => finals.get(asked.runId)?.marker);
  const violations: Violation[] = [];
  for (const marker of new Set([...runsByMarker.keys(), ...triggersByMarker.keys()])) {
    const runs = runsByMarker.get(marker) ?? [];
    const triggers = triggersByMarker.get(marker) ?? [];
    const replaysOfMarker = replays.get(marker) ?? [];
    const started = new Set(triggers.flatMap((entry) => toldOf(entry)?.runId ?? []));
    const replayed = replaysOfMarker.flatMap((entry) => toldOf(entry)?.runId ?? []);
    const unexplained = runs.filter(({ runId }) => !started.has(runId) && !replayed.includes(runId));
    const mayHaveStarted = started.size === 0 && triggers.some(isUnknown) ? 1 : 0;
    const message = (fault: string): string => `${fault}; by ${[...triggers, ...replaysOfMarker].map(shown).join(', ')}`;
    if (started.size > 1) violations.push({ rule: 'one run a request', message: message(`${marker} is the runs ${[...started]}`) });
    if (new Set([...started, ...replayed]).size < started.size + replayed.length)
      violations.push({ rule: 'one run a replay', message: message(`a replay of ${marker} was told a run that existed`) });
    if (unexplained.length > mayHaveStarted + replaysOfMarker.filter(isUnknown).length)
      violations.push({
        rule: 'nothing left behind',
        message: message(`nobody started ${unexplained.map(({ runId }) => runId)} of ${marker}`),
      });
  }
  return violations;
}

/** A key of a sink is one request and one run; another request under it is refused, and no other. */
export function idempotencyKeys(history: History, { runsByMarker }: RunIndex): Violation[] {
  const violations: Violation[] = [];
  const keyed = entriesOf(history, 'trigger').filter(({ asked }) => asked.key !== null);
  for (const [name, triggers] of groupBy(keyed, ({ asked }) => `${asked.sink} ${asked.key}`)) {
    const stored = [...new Set(triggers.map(({ asked }) => asked.marker))].filter((marker) => runsByMarker.has(marker));
    const told = new Set(triggers.flatMap((entry) => toldOf(entry)?.runId ?? []));
    const by = triggers.map(shown).join(', ');
    if (stored.length > 1 || told.size > 1)
      violations.push({ rule: 'one run a key', message: `${name} is the runs ${[...told]} of the requests ${stored}; by ${by}` });
    for (const entry of triggers) {
      const { outcome, asked } = entry;
      if (outcome.kind !== 'refused' || outcome.status !== 422) continue;
      const others = triggers.filter((other) => other.asked.marker !== asked.marker && other.invokedAt < entry.returnedAt);
      if (others.every(({ outcome: { kind } }) => kind === 'refused'))
        violations.push({ rule: 'refused keys', message: `no other request had the key of ${shown(entry)}` });
    }
  }
  return violations;
}

/** Each run has ended, once, and its events are numbered from 1 without a gap. */
export function endedOnce(_history: History, { finals }: RunIndex): Violation[] {
  return [...finals.values()].flatMap(({ runId, status, events }) => {
    const ends = events.map(endOf);
    const faults = [
      isEnded(status) ? null : `is still ${status}`,
      events.every(({ seq }, index) => seq === index + 1) ? null : `has events ${events.map(({ seq }) => seq)}`,
      ends.filter((end) => end !== null).length === 1 && ends.at(-1) === status ? null : `is ${status}, and its events tell ${ends}`,
    ];
    return faults.flatMap((fault) => (fault === null ? [] : [{ rule: 'ends once', message: `${runId} ${fault}` }]));
  });
}

/** Whatever part of a stream was told, from any position and at any time, is the same part of the final one. */
export function sameEvents(history: History, { finals }: RunIndex): Violation[] {
  const rule = 'same events';
  return history.entries.flatMap((entry): Violation[] => {
    const stream = streamOf(entry);
    if (stream === null) return [];
    const { runId, after, events } = stream;
    const final = finals.get(runId)?.events ?? [];
    const first = events[0]?.seq ?? after + 1;
    // A trigger with Last-Event-ID may have started the run, and then tells all.
    const isAtStart = first === after + 1 || (first === 1 && isOf(entry, 'trigger'));
    if (!isAtStart || events.some(({ seq }, index) => seq !== first + index))
      return [{ rule, message: `${shown(entry)} told the events ${events.map(({ seq }) => seq)}` }];
    const altered = events.find(({ seq, text }) => final[seq - 1]?.text !== text);
    if (altered === undefined) return [];
    return [
      { rule, message: `${shown(entry)} told ${altered.text} as ${altered.seq}, which is ${final[altered.seq - 1]?.text ?? 'missing'}` },
    ];
  });
}

/** A stream that the server did not tell to its end was cut off by a fault. */
export function wholeStreams(history: History, { finals }: RunIndex): Violation[] {
  const cuts = history.faults.filter(({ name }) => CUTTING.has(name));
  return history.entries.flatMap((entry): Violation[] => {
    const stream = streamOf(entry);
    if (stream === null || stream.ending === 'timeout') return [];
    const { runId, after, events } = stream;
    const end = finals.get(runId)?.events.length ?? 0;
    const isWhole = events.some((event) => endOf(event) !== null) || (events.length === 0 && after >= end);
    const isCut = cuts.some(({ beganAt, endedAt }) => beganAt < entry.returnedAt && endedAt > entry.invokedAt);
    return isWhole || isCut ? [] : [{ rule: 'whole streams', message: `${shown(entry)} told ${events.length} of ${end} events` }];
  });
}

const CUTTING: ReadonlySet<string> = new Set(['kill', 'stop', 'disk', 'sync']);

/** An answer agrees with the end of its run, and with every answer before it. */
export function agreeingAnswers(_history: History, { finals, observations }: RunIndex): Violation[] {
  const rule = 'agreeing answers';
  return [...observations].flatMap(([runId, seen]) => {
    const final = finals.get(runId);
    if (final === undefined) return [];
    const firstEnd = earliestEnd(seen);
    return seen.flatMap(({ entry, status, hasEnded, output }): Violation[] => {
      if (hasEnded && status !== null && status !== final.status)
        return [{ rule, message: `${runId} is ${final.status}, but ${shown(entry)} told ${status}` }];
      if (output !== null && JSON.stringify(output) !== JSON.stringify(final.output))
        return [{ rule, message: `${shown(entry)} told ${JSON.stringify(output)}, which is ${JSON.stringify(final.output)}` }];
      if (status !== null && !hasEnded && firstEnd !== null && firstEnd.entry.returnedAt < entry.invokedAt)
        return [{ rule, message: `${shown(entry)} told ${runId} ${status} after its end was told by ${shown(firstEnd.entry)}` }];
      return [];
    });
  });
}

/** Only a cancel cancels; it is acknowledged once, and not after the end was known. A cancel is refused only after the end. */
export function cancelledRuns(history: History, { finals, knownEndOf, observations }: RunIndex): Violation[] {
  const rule = 'cancelled runs';
  const cancels = groupBy(entriesOf(history, 'cancel'), ({ asked }) => asked.runId);
  const violations: Violation[] = [];
  for (const [runId, entries] of cancels) {
    const done = entries.filter(({ outcome }) => outcome.kind === 'ok');
    if (done.length > 1) violations.push({ rule, message: `${runId} was cancelled more than once: ${done.map(shown).join(', ')}` });
    for (const entry of done)
      if (knownEndOf(runId) < entry.invokedAt)
        violations.push({
          rule,
          message: `${shown(entry)}, although its end was told by ${shown(earliestEnd(observations.get(runId) ?? [])?.entry ?? entry)}`,
        });
  }
  for (const { runId, status } of finals.values()) {
    const mayBeCancelled = (cancels.get(runId) ?? []).some(({ outcome }) => outcome.kind !== 'refused');
    if (status === 'cancelled' && !mayBeCancelled) violations.push({ rule, message: `nobody cancelled ${runId}` });
  }
  return violations;
}

/** A list has every run that was known before and is not older than its last one. Run ids sort by age. */
export function completeLists(history: History, { finals, observations }: RunIndex): Violation[] {
  const knownAt = [...observations].map(([runId, seen]) => ({ runId, at: Math.min(...seen.map(({ entry }) => entry.returnedAt)) }));
  return entriesOf(history, 'list').flatMap((entry) => {
    const runs = toldOf(entry)?.runs;
    if (runs === undefined) return [];
    const listed = new Set(runs.map(({ runId }) => runId));
    const oldest = runs.length < entry.asked.limit ? '' : (runs.at(-1)?.runId ?? '');
    const missing = knownAt.filter(({ runId, at }) => at < entry.invokedAt && runId > oldest && !listed.has(runId) && finals.has(runId));
    return missing.map(({ runId }) => ({ rule: 'complete lists', message: `${shown(entry)} does not have ${runId}` }));
  });
}

/**
 * The server refuses only as documented: conflicts, stale editions, keys of other requests, and when it can store nothing.
 * An internal error is one of a disk that failed.
 */
export function documentedRefusals(history: History): Violation[] {
  const rule = 'documented refusals';
  const failures = history.faults.filter(({ name }) => name === 'sync');
  return history.entries.flatMap((entry): Violation[] => {
    const { outcome, operation, invokedAt, returnedAt } = entry;
    if (outcome.kind === 'ok') return [];
    const isExplained =
      outcome.kind === 'refused'
        ? outcome.status === 503 || REFUSALS[operation] === outcome.status
        : !outcome.reason.startsWith(INTERNAL_ERROR) ||
          failures.some(({ beganAt, endedAt }) => beganAt < returnedAt && endedAt > invokedAt);
    return isExplained ? [] : [{ rule, message: `${shown(entry)}: ${outcome.kind === 'refused' ? outcome.message : outcome.reason}` }];
  });
}

const REFUSALS: Partial<Record<Entry['operation'], number>> = { trigger: 422, cancel: 409, retry: 409, edit: 412 };

const isUnknown = ({ outcome }: Entry): boolean => outcome.kind === 'unknown';

function earliestEnd(seen: readonly Observation[]): Observation | null {
  const ends = seen.filter(({ hasEnded }) => hasEnded);
  return ends.reduce<Observation | null>(
    (first, end) => (first !== null && first.entry.returnedAt <= end.entry.returnedAt ? first : end),
    null,
  );
}

/** The part of a run's stream that an entry told; null if it told none. */
function streamOf(entry: Entry): ({ runId: string; after: number } & ToldStream) | null {
  if (isOf(entry, 'events')) {
    const told = toldOf(entry);
    return told === undefined ? null : { ...entry.asked, ...told };
  }
  if (!isOf(entry, 'trigger') || entry.asked.mode !== 'stream') return null;
  const told = toldOf(entry);
  return told === undefined ? null : { runId: told.runId, after: entry.asked.after ?? 0, events: told.events, ending: told.ending };
}
