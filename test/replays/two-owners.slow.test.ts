// Two owners on one database: one works on a job, and when it dies the other one goes on. Each run is replayed once.

import { expect, test } from 'vitest';
import { machineClocks } from '../../src/clock.ts';
import type { Sink } from '../../src/core/sink/sink.ts';
import type { Workflow } from '../../src/core/workflow/plan.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createLogger } from '../../src/logger.ts';
import { ReplayJobs } from '../../src/replays/replay-jobs.ts';
import { Replayer } from '../../src/replays/replayer.ts';
import { openSqliteDatabase } from '../../src/storage/sqlite/sqlite-storage.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { startBareEngine } from '../engine/bare-engine.ts';
import { type CodeVersion, codePrograms } from '../engine/code-program.ts';
import { completedTurn, createWorkbench, NOW } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const RUNS = 120;
const { logger } = createLogger('silent');
const version: CodeVersion = {
  id: 'code',
  version: 1,
  inputs: [],
  // biome-ignore lint/correctness/useYield: it ends at once
  *code() {
    return 'done';
  },
};

interface Node extends OpenedStorage {
  jobs: ReplayJobs;
  replayed: string[];
}

async function startNode({ storage, node }: OpenedStorage, sinkOf: () => Sink): Promise<Node> {
  const { engine } = await startBareEngine({ storage, node, createPrograms: () => codePrograms([version]) });
  const reference = { id: version.id, version: version.version };
  const found = { workflow: version as unknown as Workflow, reference };
  const current = () => ({ version: 0, apps: [], workflows: [], sinks: [] });
  const catalog = { current, findSink: sinkOf, workflowOf: () => found, workflowNamed: () => found };
  const shared = { storage, catalog, engine: engine as unknown as Engine, blobs: { renew: async () => undefined } };
  const replayer = new Replayer({ ...shared, wallClock: machineClocks.wall });
  const replayed: string[] = [];
  const jobs = new ReplayJobs({
    ...{ storage, node, memory: plentyOfMemory(), logger, disk: { refuseWhenLow: () => undefined } },
    replayer: {
      async replay(run, order) {
        replayed.push(run.id);
        return await replayer.replay(run, order);
      },
    },
  });
  onTestEnd(() => jobs.stop(1000));
  await jobs.start();
  return { storage, node, jobs, replayed };
}

test('one works on the job at a time, and the other one ends it', { timeout: 60_000 }, async () => {
  const options = { directory: tempDir(), memory: plentyOfMemory().commits, clocks: machineClocks, logger, onFatal: () => undefined };
  const database = await openSqliteDatabase(options);
  onTestEnd(() => database.close());
  let sink: Sink | undefined;
  const opened = [await database.openStorage(), await database.openStorage()] as const;
  const workbench = createWorkbench(opened[0]);
  sink = await workbench.addSink();
  const request = JSON.stringify({ files: [], headers: {}, query: {}, params: {}, method: 'POST', path: '/', client_ip: '' });
  const ids: string[] = [];
  for (let count = 0; count < RUNS; count += 1)
    ids.push((await workbench.addRun(sink, { request, createdAt: NOW, turn: completedTurn(1, { at: NOW }) })).runId);
  const nodes = [await startNode(opened[0], () => sink as Sink), await startNode(opened[1], () => sink as Sink)] as const;
  const { id, matched } = await nodes[0].jobs.create({ runs: { sinkId: sink.id }, mode: 'live', version: 'current', ratePerSecond: 100 });
  expect(matched).toBe(RUNS);
  const works = await until('some replays', () => nodes.find(({ replayed }) => replayed.length >= 40));
  const idles = nodes.find((node) => node !== works) as Node;
  expect(idles.replayed).toEqual([]);
  // It ends as a process does that is killed.
  await works.storage.close();
  await until('the other one to take the job up', async () => {
    await idles.storage.reapOwners();
    return idles.replayed.length > 0;
  });
  const job = await until(
    'the job to end',
    async () => {
      const found = await idles.storage.getJob(id);
      return found?.status === 'completed' ? found : null;
    },
    20_000,
  );
  expect(job).toMatchObject({ matched: RUNS, replayed: RUNS, failed: 0, skipped: 0 });
  const replays = (await idles.storage.listRuns({ limit: 1000 })).flatMap(({ replay }) => (replay === null ? [] : [replay.of]));
  expect(replays.sort()).toEqual([...ids].sort());
});
