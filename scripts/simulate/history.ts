// One history: two servers on one storage, callers, and faults, all drawn by a seed. It is played until everything has come
// to rest, and checked.

import type { Break } from './breaks.ts';
import type { FaultCounts } from './faults.ts';
import { checkEnd } from './invariants/check-end.ts';
import { Server } from './servers/server.ts';
import { withVirtualTimers } from './time/virtual-timers.ts';
import { Client } from './workload/client.ts';
import { StreamReaders } from './workload/stream-readers.ts';
import { Watchers } from './workload/watchers.ts';
import { type Violation, World } from './world.ts';

export interface History {
  seed: number;
  violation: Violation | null;
  /** Of all that happened. */
  hash: string;
  runs: number;
  events: number;
  faults: FaultCounts;
  /** Null unless they were wanted. */
  lines: string[] | null;
}

export interface HistoryOptions {
  broken?: Break | null;
  isTraced?: boolean;
}

/** Time for everything to come to rest after the faults. */
const MAX_REST_MS = 600_000;
/** A little more than the engine waits before it repeats a call that was refused. */
const LAST_REPETITION_MS = 6000;
/** Time for the servers to notice that everything is at rest. */
const AFTER_REST_MS = 2500;

export async function playHistory(seed: number, options: HistoryOptions = {}): Promise<History> {
  const world = new World(seed, options);
  await withVirtualTimers(world.time, world.random.next, () => play(world));
  const { violation, faults, state, trace, time } = world;
  return { seed, violation, hash: trace.hash, runs: state.runs.size, events: time.happened, faults: faults.counts, lines: trace.lines };
}

async function play(world: World): Promise<void> {
  const { time, faults, state, calmAt } = world;
  const servers = ['A', 'B'].map((name) => new Server(world, name));
  const watchers = new Watchers(world, servers);
  const readers = new StreamReaders(world, servers);
  const client = new Client(world, servers, [(runId) => watchers.watch(runId), (runId) => readers.read(runId)]);
  for (const server of servers) server.start();
  client.begin();
  disturb(world, servers);
  time.schedule(calmAt - time.now, null, () => {
    faults.stop();
    world.noteSlow(LAST_REPETITION_MS);
  });
  let restingSince: number | null = null;
  await time.run(() => {
    if (world.violation !== null) return true;
    if (!world.isCalm) return false;
    const isResting = state.openRuns.size + state.openDeliveries.size === 0 && !world.isBusy && !watchers.areWaiting && !readers.areWaiting;
    restingSince = isResting ? (restingSince ?? time.now) : null;
    return time.now - (restingSince ?? time.now) > AFTER_REST_MS || time.now > calmAt + MAX_REST_MS;
  });
  if (world.violation === null) checkEnd(world, { servers, client, watchers, readers });
}

/** Draws what happens to the servers until the faults stop. */
function disturb({ random, time, calmAt }: World, servers: readonly Server[]): void {
  const lastMs = calmAt - time.now;
  const kinds: [count: number, act: (server: Server) => void][] = [
    [random.pick([0, 0, 1, 2, 4]), (server) => server.kill()],
    [random.pick([0, 1, 1, 2]), (server) => server.pause()],
    [random.pick([0, 0, 1]), (server) => server.drain()],
    [random.pick([0, 0, 0, 1, 2]), (server) => server.loseSession()],
    [random.pick([0, 2]), (server) => server.jumpClock()],
  ];
  for (const [count, act] of kinds) {
    for (let made = 0; made < count; made += 1) {
      const server = random.pick(servers);
      time.schedule(random.next() * lastMs, null, () => act(server));
    }
  }
}
