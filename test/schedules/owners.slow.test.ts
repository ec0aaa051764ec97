// Several processes on one database, any of which may die or lose answers between a run and the record of its time: each
// scheduled time starts one run.

import { expect, test } from 'vitest';
import { createCatalog } from '../../src/definitions/catalog.ts';
import { createGraphPrograms } from '../../src/engine/execution/graph-programs.ts';
import { UnknownOutcome } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import { Scheduler } from '../../src/schedules/scheduler.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import { openSqliteDatabase, type SharedDatabase } from '../../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { startBareEngine } from '../engine/bare-engine.ts';
import { newSink } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import { settableClocks } from '../support/settable-clocks.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const MINUTE = 60_000;
const { logger } = createLogger('silent');
const clocks = settableClocks();
const stepTypes = createStepTypes(builtinStepTypes);

async function openShared(): Promise<SharedDatabase> {
  const database = await openSqliteDatabase({
    directory: tempDir(),
    memory: plentyOfMemory().commits,
    clocks,
    logger,
    onFatal: () => undefined,
  });
  onTestEnd(() => database.close());
  return database;
}

/** An owner with a scheduler of its own. `change` puts faults between the scheduler and the storage. */
async function startOwner(database: SharedDatabase, change: (storage: Storage) => Partial<Storage> = () => ({})) {
  const { storage, node } = await database.openStorage();
  const catalog = await createCatalog(storage);
  const { engine } = await startBareEngine({
    storage,
    node,
    createPrograms: (tools) => createGraphPrograms({ ...tools, stepTypes }, storage),
  });
  const scheduler = new Scheduler({
    storage: { ...storage, ...change(storage) },
    catalog,
    engine,
    refuseWhenLow: () => undefined,
    clock: node.time.clock,
    clocks,
    logger,
  });
  await scheduler.start();
  onTestEnd(() => scheduler.stop());
  return { storage, node, catalog, scheduler };
}

type Owner = Awaited<ReturnType<typeof startOwner>>;

async function addSchedule({ storage }: Owner): Promise<string> {
  const sink = newSink('shop', { schedules: [{ name: 's', cron: '* * * * *', timeZone: 'UTC', catchUp: 'all', body: null }] });
  const version = await storage.definitionsVersion();
  await storage.changeDefinitions({ id: 'edit', version, changes: [{ kind: 'put_sink', sink }], at: clocks.wall() });
  return sink.id;
}

async function timesOf({ storage }: Owner): Promise<number[]> {
  const runs = await storage.listRuns({ limit: 500 });
  const records = await Promise.all(runs.map(({ id }) => storage.getRun(id)));
  return records
    .map((run) => Date.parse((JSON.parse(run?.request ?? '{}') as { schedule: { at: string } }).schedule.at))
    .sort((a, b) => a - b);
}

/** Every minute between the times, in order. */
function minutes(from: number, to: number): number[] {
  const first = Math.floor(from / MINUTE) + 1;
  return Array.from({ length: Math.floor(to / MINUTE) - first + 1 }, (_, index) => (first + index) * MINUTE);
}

test('two owners, one of which stops on the way, start each time once', async () => {
  const database = await openShared();
  const [one, other] = [await startOwner(database), await startOwner(database)];
  const sinkId = await addSchedule(one);
  const since = clocks.wall();
  await Promise.all([one.catalog.reload(), other.catalog.reload()]);
  const handled = async (): Promise<boolean> => {
    const [state] = await one.storage.listSchedules();
    return (state?.handledTo ?? 0) > clocks.wall() - MINUTE;
  };
  for (const ms of [5 * MINUTE, MINUTE, 17 * MINUTE]) {
    clocks.set(ms);
    await until('the times to be handled', handled);
  }
  await other.scheduler.stop();
  clocks.set(10 * MINUTE);
  await until('the times to be handled by one', handled);
  await one.scheduler.stop();
  expect(await timesOf(one)).toEqual(minutes(since, clocks.wall()));
  expect(await one.storage.listSchedules()).toMatchObject([{ sinkId, name: 's' }]);
});

test.each<[string, (storage: Storage) => Partial<Storage>]>([
  ['dies before it records any time', () => ({ moveSchedule: () => Promise.reject(new Error('the process has died')) })],
  [
    'gets no answer to its records',
    (storage) => ({
      async moveSchedule(move) {
        await storage.moveSchedule(move);
        throw new UnknownOutcome();
      },
    }),
  ],
])('an owner that %s has started each time once', async (_fault, change) => {
  const database = await openShared();
  const first = await startOwner(database, change);
  await addSchedule(first);
  const since = clocks.wall();
  await first.catalog.reload();
  clocks.set(6 * MINUTE);
  await until('a run', async () => (await timesOf(first)).length > 0);
  const second = await startOwner(database);
  clocks.set(6 * MINUTE);
  await until('all to be started', async () => (await timesOf(second)).length >= 12);
  const [state] = await until('all to be handled', async () => {
    const states = await second.storage.listSchedules();
    return states[0]?.lastAt === Math.floor(clocks.wall() / MINUTE) * MINUTE ? states : null;
  });
  expect(state?.handledTo).toBe(state?.lastAt);
  expect(await timesOf(second)).toEqual(minutes(since, clocks.wall()));
});
