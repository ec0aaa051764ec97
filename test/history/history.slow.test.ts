// Several clients at once, a server that is killed, stopped, paused, set to another time and out of disk, and a receiver
// that is slow or fails: what the clients were told is a history that the documents allow.
// HISTORY_SEED and HISTORY_SECONDS choose the schedule and its length.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkHistory } from './checker/check-history.ts';
import type { FinalState, History, Violation } from './history.ts';
import { Client, Knowledge } from './load/client.ts';
import { startDeliveryReceiver } from './load/delivery-receiver.ts';
import { openFaultyMachine } from './load/faulty-machine.ts';
import { FinalReader } from './load/final-state.ts';
import { Nemesis } from './load/nemesis.ts';
import { ApiOperations } from './load/operations.ts';
import { Random } from './load/random.ts';
import { Recorder } from './load/recorder.ts';
import { RestartingServer } from './load/restarting-server.ts';
import { defineWorkload } from './load/workload.ts';

const SEED = Number(process.env['HISTORY_SEED'] ?? 1);
const SECONDS = Number(process.env['HISTORY_SECONDS'] ?? 20);
const CLIENTS = 24;
/** A run of this length has a pause that is longer than a lease. */
const LONG_SECONDS = 90;
const REPLAYED_RUNS = 40;

test('the history of what clients asked and were told is one that the documents allow', {
  timeout: (SECONDS + 240) * 1000,
}, async () => {
  const machine = openFaultyMachine();
  if (machine.setClock === null) process.stdout.write('history: no steps of the wall clock, which need Linux\n');
  const recorder = new Recorder(SEED);
  const receiver = await startDeliveryReceiver(recorder, new Random(SEED + 1));
  const server = new RestartingServer(machine);
  const api = new ApiOperations(server.base, receiver.url);
  await defineWorkload({ url: await server.base() }, receiver.url);

  const until = performance.now() + SECONDS * 1000;
  const isOver = (): boolean => performance.now() > until;
  const knowledge = new Knowledge();
  const clients = Array.from({ length: CLIENTS }, (_, id) => {
    const random = new Random(SEED * 1000 + id);
    return new Client({ id, random, api, recorder, knowledge }).run(isOver);
  });
  const nemesis = new Nemesis({ seed: SEED + 2, recorder, server, machine, receiver });
  const strikes = (SECONDS < LONG_SECONDS ? Promise.resolve() : nemesis.pauseLong()).then(() => nemesis.run(isOver));
  await Promise.all([...clients, strikes]);

  const reader = new FinalReader(await server.base());
  await reader.settle();
  const state = await reader.read();
  await replayFromEveryPosition(state, api, recorder);
  api.close();
  const history = recorder.history();
  const violations = checkHistory(history, state);
  process.stdout.write(`${summaryOf(history, state)}\n`);
  expect(violations, violations.length === 0 ? '' : saved(history, state, violations)).toEqual([]);
});

/** The newest runs: the streams of their clients were cut off most recently. */
async function replayFromEveryPosition({ runs }: FinalState, api: ApiOperations, recorder: Recorder): Promise<void> {
  for (const { runId, events } of runs.slice(0, REPLAYED_RUNS))
    for (let after = 0; after <= events.length; after += 1)
      await recorder.operate(-1, 'events', { runId, after }, () => api.events({ runId, after }));
}

function summaryOf({ seed, entries, faults, arrivals }: History, { runs, deliveries }: FinalState): string {
  const count = (items: Iterable<string>): string => {
    const counts = new Map<string, number>();
    for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
    return [...counts].map(([item, number]) => `${number} ${item}`).join(', ');
  };
  return [
    `history of seed ${seed}: ${entries.length} operations (${count(entries.map(({ outcome }) => outcome.kind))})`,
    `by name: ${count(entries.map(({ operation }) => operation))}`,
    `refused: ${count(entries.flatMap(({ operation, outcome }) => (outcome.kind === 'refused' ? [`${operation} ${outcome.status}`] : [])))}`,
    `${runs.length} runs (${count(runs.map(({ status }) => status))}), ${deliveries.length} deliveries, ${arrivals.length} arrivals`,
    `faults: ${count(faults.map(({ name }) => name))}`,
  ].join('\n  ');
}

/** Writes the history to a file that outlives the test. */
function saved(history: History, state: FinalState, violations: Violation[]): string {
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-history-')), `seed-${history.seed}.json`);
  writeFileSync(path, JSON.stringify({ violations, history, state }, null, 1));
  const lines = violations.slice(0, 30).map(({ rule, message }) => `${rule}: ${message}`);
  return `${violations.length} violations with HISTORY_SEED=${history.seed} HISTORY_SECONDS=${SECONDS}; the history is ${path}\n${lines.join('\n')}`;
}
