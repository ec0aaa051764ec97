// What a history says about each run, gathered once for all rules.

import { type Entry, endOf, entriesOf, type FinalRun, type FinalState, type History, isEnded, type RunStatus, toldOf } from '../history.ts';

/** One answer about a run. */
export interface Observation {
  entry: Entry;
  runId: string;
  /** Null: it says only that the run has ended, or only that it exists. */
  status: RunStatus | null;
  hasEnded: boolean;
  output: Record<string, unknown> | null;
}

export interface RunIndex {
  finals: ReadonlyMap<string, FinalRun>;
  /** By run, in the order of the history. */
  observations: ReadonlyMap<string, Observation[]>;
  triggersByMarker: ReadonlyMap<string, Entry<'trigger'>[]>;
  runsByMarker: ReadonlyMap<string, FinalRun[]>;
  /** When the request that started a run was first sent and first answered; infinite without an answer. */
  startOf(run: FinalRun): { invokedAt: number; returnedAt: number };
  /** When a client first knew that the run has ended; infinite if none did. */
  knownEndOf(runId: string): number;
}

export function groupBy<Item, Key>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

export function indexRuns(history: History, { runs }: FinalState): RunIndex {
  const observations = groupBy(history.entries.flatMap(observationsIn), ({ runId }) => runId);
  const triggersByMarker = groupBy(entriesOf(history, 'trigger'), ({ asked }) => asked.marker);
  const replays = groupBy(entriesOf(history, 'replay'), (entry) => toldOf(entry)?.runId);
  const knownEnds = new Map<string, number>();
  for (const [runId, seen] of observations) {
    const ends = seen.filter(({ hasEnded }) => hasEnded).map(({ entry }) => entry.returnedAt);
    knownEnds.set(runId, Math.min(Number.POSITIVE_INFINITY, ...ends));
  }
  return {
    finals: new Map(runs.map((run) => [run.runId, run])),
    observations,
    triggersByMarker,
    runsByMarker: groupBy(runs, ({ marker }) => marker),
    startOf({ runId, marker }) {
      const replay = replays.get(runId)?.[0];
      if (replay !== undefined) return replay;
      const triggers = triggersByMarker.get(marker) ?? [];
      const answered = triggers.filter((entry) => toldOf(entry)?.runId === runId);
      return {
        invokedAt: Math.min(...triggers.map(({ invokedAt }) => invokedAt)),
        returnedAt: Math.min(Number.POSITIVE_INFINITY, ...answered.map(({ returnedAt }) => returnedAt)),
      };
    },
    knownEndOf: (runId) => knownEnds.get(runId) ?? Number.POSITIVE_INFINITY,
  };
}

function observationsIn(entry: Entry): Observation[] {
  const see = (runId: string, status: RunStatus | null, output: Observation['output'] = null): Observation => ({
    entry,
    runId,
    status,
    hasEnded: status !== null && isEnded(status),
    output,
  });
  const { outcome } = entry;
  if (isOf(entry, 'cancel') && outcome.kind === 'refused' && outcome.status === 409)
    return [{ ...see(entry.asked.runId, null), hasEnded: true }];
  if (outcome.kind !== 'ok') return [];
  if (isOf(entry, 'cancel')) return [see(entry.asked.runId, 'cancelled')];
  if (isOf(entry, 'replay')) return [see(entry.asked.runId, null), see(toldOf(entry)?.runId as string, null)];
  if (isOf(entry, 'list')) return toldOf(entry)?.runs.map(({ runId, status }) => see(runId, status)) ?? [];
  if (isOf(entry, 'lookup')) {
    const run = toldOf(entry);
    return run === undefined ? [] : [see(run.runId, run.status, run.output)];
  }
  if (isOf(entry, 'trigger')) {
    const { runId, run, events } = toldOf(entry) as NonNullable<ReturnType<typeof toldOf<'trigger'>>>;
    return [run === null ? see(runId, statusIn(events)) : see(runId, run.status, run.output)];
  }
  if (isOf(entry, 'events')) return [see(entry.asked.runId, statusIn(toldOf(entry)?.events ?? []))];
  return [];
}

/** The end that a stream tells; null if it tells none. */
function statusIn(events: Parameters<typeof endOf>[0][]): RunStatus | null {
  return events.map(endOf).find((status) => status !== null) ?? null;
}

export function isOf<Name extends Entry['operation']>(entry: Entry, name: Name): entry is Entry<Name> {
  return entry.operation === name;
}
