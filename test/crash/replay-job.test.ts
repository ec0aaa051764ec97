// kill -9 in the midst of a job that replays many runs: each matched run is replayed exactly once, and the counts say so.

import { expect, test } from 'vitest';
import { admin, defineFlow, triggerFlow } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const RUNS = 400;
const KILLED_AT = [60, 150, 270];

async function startRuns(server: ServerProcess): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < RUNS; n += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => triggerFlow(server, 'many', { n: n + index })));
    ids.push(...answers.map(({ body }) => body.run_id));
  }
  return ids;
}

async function allRuns(server: ServerProcess): Promise<any[]> {
  const runs: any[] = [];
  for (let cursor = ''; ; ) {
    const page = await admin(server, 'GET', `/runs?limit=500${cursor}`);
    runs.push(...page.runs);
    if (page.next_cursor === null) return runs;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

test('every matched run is replayed exactly once, however often the server is killed', { timeout: 120_000 }, async () => {
  const dataDir = tempDir();
  let server = await startServerProcess({ dataDir });
  const steps = [{ type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n' } }];
  await defineFlow(server, 'many', { inputs: ['n'], steps, outputs: { n: '$steps.s.n' } });
  const ids = await startRuns(server);
  const order = { action: 'replay', filter: { app_id: 'demo', status: 'completed' }, rate_per_second: 400 };
  const { job_id: jobId, matched } = await admin(server, 'POST', '/jobs', order);
  expect(matched).toBe(RUNS);
  for (const replays of KILLED_AT) {
    await until(`${replays} replays`, async () => (await allRuns(server)).length >= RUNS + replays, 30_000);
    server.kill('SIGKILL');
    expect(await server.exited).toBe('SIGKILL');
    server = await startServerProcess({ dataDir });
  }
  const job = await until(
    'the job to end',
    async () => {
      const found = await admin(server, 'GET', `/jobs/${jobId}`);
      return found.status === 'completed' ? found : null;
    },
    30_000,
  );
  expect(job).toMatchObject({ matched: RUNS, replayed: RUNS, failed: 0, skipped: 0, last_error: null });
  const runs = await allRuns(server);
  const replays = runs.filter(({ replay }) => replay !== undefined);
  expect(runs).toHaveLength(2 * RUNS);
  expect(replays.map(({ replay }) => replay.of).sort()).toEqual([...ids].sort());
  expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['completed']));
});
