// What must be true once the faults have stopped and everything has come to rest.

import { parseDeliveryId } from '../../../src/core/delivery/delivery-id.ts';
import { isTerminal } from '../../../src/core/run/run.ts';
import type { StoredDelivery, StoredRun } from '../memory-storage/records.ts';
import { findRun } from '../memory-storage/state.ts';
import type { Server } from '../servers/server.ts';
import type { Client } from '../workload/client.ts';
import type { StreamReaders } from '../workload/stream-readers.ts';
import type { Watchers } from '../workload/watchers.ts';
import { FIRST_REPLY, ITEMS, LIST } from '../workload/workflows.ts';
import type { World } from '../world.ts';

export interface Cast {
  servers: readonly Server[];
  client: Client;
  watchers: Watchers;
  readers: StreamReaders;
}

export function checkEnd(world: World, { servers, client, watchers, readers }: Cast): void {
  const { state, fail } = world;
  for (const run of state.runs.values()) checkRun(world, run);
  for (const delivery of state.deliveries.values()) checkDelivery(world, delivery);
  for (const { runId } of client.acknowledged)
    if (findRun(state, runId) === undefined) fail('no acknowledged run is lost', `${runId} is not stored`);
  checkKeys(world, client);
  checkReplies(world, client);
  checkItems(world);
  world.invariants.flow.checkEnd();
  world.invariants.batches.checkEnd(client.acknowledged);
  watchers.check();
  readers.check();
  for (const { life } of servers) {
    if (life === null) continue;
    for (const account of [life.memory.runs, life.memory.deliveries])
      if (account.used !== 0) fail('memory is released', `${account.used} bytes for ${account.name} are still reserved in ${life.name}`);
  }
}

function checkRun({ fail }: World, run: StoredRun): void {
  if (!isTerminal(run.status)) {
    const reason = run.wakeAt === null ? 'nothing makes it due' : `it is due at ${new Date(run.wakeAt).toISOString()}`;
    fail('every run ends', `${run.runId} of ${run.workflow?.id} is ${run.status}, and ${reason}`);
  }
  const gap = run.events.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap !== -1) fail('seq is gapless', `event ${gap + 1} of ${run.runId} has seq ${run.events[gap]?.seq}`);
  if (isTerminal(run.status) && run.lastSeq !== run.events.length + 1)
    fail('seq is gapless', `${run.runId} ends with seq ${run.lastSeq} after ${run.events.length} events`);
}

function checkDelivery({ fail, state }: World, delivery: StoredDelivery): void {
  const { id, dueAt, status, droppedReason, overflow, no } = delivery;
  if (dueAt !== null) fail('every delivery ends', `${id} is ${status}`);
  if (overflow?.policy !== 'latest_wins' || droppedReason === null) return;
  const newer = state.deliveries.get(droppedReason.slice('superseded by '.length));
  if (newer === undefined || newer.no <= no) fail('overflow: latest_wins', `${id} was ${droppedReason}, which is not newer`);
  if (parseDeliveryId(id) === null) fail('ids are valid', id);
}

/** Of one sink and key there is one run, and one fingerprint. */
function checkKeys({ fail }: World, { acknowledged }: Client): void {
  const runs = new Map<string, { runId: string; fingerprint: string }>();
  for (const { runId, sinkId, idempotency } of acknowledged) {
    if (idempotency === null) continue;
    const name = `${sinkId} ${idempotency.key}`;
    const first = runs.get(name) ?? { runId, fingerprint: idempotency.fingerprint };
    runs.set(name, first);
    if (first.runId !== runId || first.fingerprint !== idempotency.fingerprint)
      fail('one key, one run', `the key ${name} got ${first.runId} and ${runId}`);
  }
}

/** The stored reply of a run is the acknowledged one, and the run took it if it came to its end. */
function checkReplies({ fail, state }: World, { replies }: Client): void {
  for (const { runId, choice } of replies) {
    const stored = findRun(state, runId)?.replies.get(FIRST_REPLY)?.choice;
    if (stored !== choice) fail('the first reply counts', `${runId} acknowledged "${choice}", and has "${stored}"`);
  }
  for (const { runId, status, steps, replies: stored } of state.runs.values()) {
    const reply = stored.get(FIRST_REPLY);
    if (status !== 'completed' || reply === undefined) continue;
    const { choice } = JSON.parse(steps.get('decision 1')?.outputs ?? '{}') as { choice?: unknown };
    if (choice !== reply.choice) fail('no reply is lost', `${runId} completed with "${choice}", but the reply was "${reply.choice}"`);
  }
}

/** The outputs of all items are there, in the order of the list. */
function checkItems({ fail, state }: World): void {
  for (const { runId, workflow, status, output } of state.runs.values()) {
    if (workflow?.id !== ITEMS || status !== 'completed') continue;
    const { last } = JSON.parse(output ?? '{}') as { last?: { results?: { item?: unknown }[] } };
    const items = last?.results?.map(({ item }) => item);
    if (JSON.stringify(items) !== JSON.stringify(LIST))
      fail('no item is lost', `${runId} completed with the items ${JSON.stringify(items)}`);
  }
}
