// Rules about deliveries: one message under one key, attempts that somebody asked for, and retries by hand that do what
// their answer said.

import {
  type Entry,
  entriesOf,
  type FinalDelivery,
  type FinalState,
  type History,
  shown,
  type ToldDelivery,
  toldOf,
  type Violation,
} from '../history.ts';
import { groupBy, isOf, type RunIndex } from './run-index.ts';

/** A message that is on its way when its run is cancelled may arrive this much later. */
const ON_THE_WAY_MS = 1000;

/** Every arrival is of a stored delivery, under the one key of its run, and brings the message of that run. */
export function oneMessage({ arrivals }: History, state: FinalState, { finals }: RunIndex): Violation[] {
  const rule = 'one message';
  const violations: Violation[] = [];
  const ids = new Set(state.deliveries.map(({ deliveryId }) => deliveryId));
  for (const [runId, ofRun] of groupBy(arrivals, ({ key }) => runOf(key))) {
    const names = new Set(ofRun.map(({ key, deliveryId }) => `${deliveryId} under ${key}`));
    if (names.size > 1) violations.push({ rule, message: `${runId} sent ${[...names].join(' and ')}` });
    const run = finals.get(runId);
    for (const { key, deliveryId, marker } of ofRun) {
      if (run?.marker !== marker)
        violations.push({ rule, message: `${key} brought ${marker}; its run is of ${run?.marker ?? 'no request'}` });
      if (!ids.has(deliveryId)) violations.push({ rule, message: `${deliveryId} arrived, and the server does not have it` });
    }
  }
  for (const [runId, ofRun] of groupBy(state.deliveries, (delivery) => delivery.runId))
    if (ofRun.length > 1) violations.push({ rule, message: `${runId} has the deliveries ${ofRun.map(({ deliveryId }) => deliveryId)}` });
  return violations;
}

/** A completed run with a message has its delivery; each delivery has ended, and its record agrees with the receiver. */
export function finishedDeliveries({ arrivals }: History, { deliveries, runs }: FinalState): Violation[] {
  const rule = 'finished deliveries';
  const violations: Violation[] = [];
  const sent = new Set(deliveries.map(({ runId }) => runId));
  for (const { runId, sink, status } of runs)
    if (status === 'completed' && SENDING.has(sink) && !sent.has(runId)) violations.push({ rule, message: `${runId} sent nothing` });
  const byDelivery = groupBy(arrivals, ({ deliveryId }) => deliveryId);
  for (const { deliveryId, status, attempts } of deliveries) {
    const answers = (byDelivery.get(deliveryId) ?? []).map((arrival) => arrival.status);
    const invented = attempts.filter((attempt) => attempt.kind === 'response' && !take(answers, attempt.status));
    if (status === 'queued' || status === 'sending') violations.push({ rule, message: `${deliveryId} is still ${status}` });
    if (invented.length > 0)
      violations.push({ rule, message: `${deliveryId} records answers that were not given: ${JSON.stringify(invented)}` });
    if (attempts.some(({ attempt }, index) => index > 0 && attempt <= (attempts[index - 1]?.attempt ?? 0)))
      violations.push({ rule, message: `${deliveryId} has the attempts ${attempts.map(({ attempt }) => attempt)}` });
    // The run of a cancelled delivery may have ended while the answer was on its way.
    if (status !== 'cancelled' && (status === 'delivered') !== (attempts.at(-1)?.status === 200))
      violations.push({ rule, message: `${deliveryId} is ${status} after ${JSON.stringify(attempts.at(-1))}` });
  }
  return violations;
}

const SENDING: ReadonlySet<string> = new Set(['awaited', 'background']);

/** Nothing is sent once a delivery is known to be over, but for a retry by hand. */
export function askedAttempts(history: History, state: FinalState, index: RunIndex): Violation[] {
  const rule = 'asked attempts';
  const told = toldDeliveries(history);
  const retries = retriesOf(history);
  const awaited = new Set(state.runs.filter(({ sink, status }) => sink === 'awaited' && status === 'cancelled').map(({ runId }) => runId));
  return history.arrivals.flatMap(({ deliveryId, key, at }): Violation[] => {
    const ends = (told.get(deliveryId) ?? []).filter(({ entry, status }) => isOver(status) && entry.returnedAt < at);
    const unasked = ends.find(({ entry, status }) => status !== 'failed' || !wasRetried(retries.get(deliveryId), entry, at));
    if (unasked !== undefined)
      return [{ rule, message: `${deliveryId} arrived after ${shown(unasked.entry)} told that it is ${unasked.status}` }];
    const runId = runOf(key);
    const isLate = awaited.has(runId) && index.knownEndOf(runId) + ON_THE_WAY_MS < at && !wasRetried(retries.get(deliveryId), null, at);
    return isLate ? [{ rule, message: `${deliveryId} arrived after its run was cancelled` }] : [];
  });
}

/** A retry is acknowledged only for a delivery that may have failed, and brings another attempt; else it is refused. */
export function retriesByHand(history: History, { deliveries }: FinalState): Violation[] {
  const rule = 'retries by hand';
  const told = toldDeliveries(history);
  const arrivals = groupBy(history.arrivals, ({ deliveryId }) => deliveryId);
  const finals = new Map(deliveries.map((delivery) => [delivery.deliveryId, delivery]));
  const violations: Violation[] = [];
  for (const [deliveryId, entries] of retriesOf(history)) {
    const seen = told.get(deliveryId) ?? [];
    const acknowledged = entries.filter(isAcknowledged);
    for (const entry of acknowledged) {
      const over = seen.find((other) => isGone(other.status) && other.entry.returnedAt < entry.invokedAt);
      if (over !== undefined) violations.push({ rule, message: `${shown(entry)}, although ${shown(over.entry)} told ${over.status}` });
      const final = finals.get(deliveryId);
      if (!mayNotHaveArrived(final) && !arrivals.get(deliveryId)?.some(({ at }) => at > entry.invokedAt))
        violations.push({ rule, message: `${shown(entry)} brought no attempt: ${JSON.stringify(final)}` });
    }
    for (const entry of entries.filter(isConflict)) {
      const failed = seen.find(
        (other) =>
          other.status === 'failed' &&
          other.entry.returnedAt < entry.invokedAt &&
          !wasRetried(entries, other.entry, entry.returnedAt, entry),
      );
      if (failed !== undefined)
        violations.push({ rule, message: `${shown(entry)}, although ${shown(failed.entry)} told that it has failed` });
    }
    const rounds = finals.get(deliveryId)?.attempts.length ?? 0;
    if (acknowledged.length > 0 && rounds <= acknowledged.length)
      violations.push({ rule, message: `${deliveryId} has ${rounds} attempts after ${acknowledged.map(shown).join(', ')}` });
  }
  return violations;
}

/** The last attempt may not have reached the receiver, or the run was cancelled before it. */
function mayNotHaveArrived(final: FinalDelivery | undefined): boolean {
  const last = final?.attempts.at(-1);
  return final?.status === 'cancelled' || (last !== undefined && last.kind !== 'response');
}

/** A delivery that was told to be delivered or cancelled stays so. */
export function lastingEnds(history: History, { deliveries }: FinalState): Violation[] {
  const rule = 'lasting ends';
  const finals = new Map(deliveries.map((delivery): [string, FinalDelivery] => [delivery.deliveryId, delivery]));
  return [...toldDeliveries(history)].flatMap(([deliveryId, seen]) => {
    const final = finals.get(deliveryId);
    const ends = seen.filter(({ status }) => isGone(status));
    const first = ends.reduce<Told | null>(
      (least, end) => (least !== null && least.entry.returnedAt <= end.entry.returnedAt ? least : end),
      null,
    );
    if (first === null) return [];
    if (final?.status !== first.status)
      return [{ rule, message: `${deliveryId} is ${final?.status ?? 'missing'}, but ${shown(first.entry)} told ${first.status}` }];
    const later = seen.find(({ entry, status }) => entry.invokedAt > first.entry.returnedAt && status !== first.status);
    return later === undefined
      ? []
      : [{ rule, message: `${shown(later.entry)} told ${deliveryId} ${later.status} after ${shown(first.entry)}` }];
  });
}

interface Told extends ToldDelivery {
  entry: Entry;
}

function toldDeliveries(history: History): Map<string, Told[]> {
  const told = history.entries.flatMap((entry): Told[] => {
    const { outcome } = entry;
    if (outcome.kind !== 'ok') return [];
    if (isOf(entry, 'readDelivery')) return [{ ...(toldOf(entry) as ToldDelivery), entry }];
    if (isOf(entry, 'listDeliveries')) return (toldOf(entry)?.deliveries ?? []).map((delivery) => ({ ...delivery, entry }));
    return [];
  });
  return groupBy(told, ({ deliveryId }) => deliveryId);
}

const retriesOf = (history: History): Map<string, Entry<'retry'>[]> =>
  groupBy(entriesOf(history, 'retry'), ({ asked }) => asked.deliveryId);

/** Whether a retry other than `except` may have begun another round after `end` was read, and before a moment. */
function wasRetried(retries: readonly Entry<'retry'>[] = [], end: Entry | null, before: number, except?: Entry): boolean {
  return retries.some(
    (retry) =>
      retry !== except &&
      mayHaveBegun(retry) &&
      retry.invokedAt < before &&
      retry.returnedAt > (end?.invokedAt ?? Number.NEGATIVE_INFINITY),
  );
}

const isAcknowledged = (entry: Entry<'retry'>): boolean => (toldOf(entry)?.retried.length ?? 0) > 0;

/** The delivery was not one to retry. The bulk route says so with an empty list. */
function isConflict({ outcome }: Entry<'retry'>): boolean {
  return outcome.kind === 'refused' ? outcome.status === 409 : outcome.kind === 'ok' && outcome.told.retried.length === 0;
}

const mayHaveBegun = (entry: Entry<'retry'>): boolean => entry.outcome.kind !== 'refused' && !isConflict(entry);
const isGone = (status: ToldDelivery['status']): boolean => status === 'delivered' || status === 'cancelled';
const isOver = (status: ToldDelivery['status']): boolean => isGone(status) || status === 'failed';
const runOf = (key: string): string => key.split(':')[0] as string;

/** Removes the item from the list. False if it is not there. */
function take<Item>(items: Item[], item: Item | null): boolean {
  const index = items.indexOf(item as Item);
  if (index !== -1) items.splice(index, 1);
  return index !== -1;
}
