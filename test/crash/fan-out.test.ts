// Fan-out across kill -9: each request has all of its runs or none, an acknowledged one has all, and a repeated one the same.

import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { admin } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const WORKFLOWS = ['a', 'b', 'c'];
const KILLS = 3;
const SENDERS = 4;
/** Answers between two kills. */
const ANSWERS = 30;

/** Two workflows end within the commit of their request, and one goes on after it. */
async function define(server: ServerProcess): Promise<string> {
  for (const id of WORKFLOWS) {
    const steps = [
      { type: 'sluice/set@v1', name: 's', values: { n: '$request.body.n' } },
      ...(id === 'c' ? [{ type: 'sluice/delay@v1', name: 'd', seconds: 0.05 }] : []),
    ];
    const outputs = [{ type: 'JsonField', name: 'n', selector: '$steps.s.n' }];
    await admin(server, 'PUT', `/apps/demo/workflows/${id}`, { version: '1.0', inputs: [], steps, outputs });
  }
  const workflows = WORKFLOWS.map((id, index) => ({ workflow_id: id, ...(index === 0 ? {} : { when: { '$request.body.all': true } }) }));
  return (await admin(server, 'POST', '/apps/demo/sinks', { path: '/several', method: 'POST', workflows })).id;
}

/** Undefined if no answer came. */
async function send({ url }: ServerProcess, n: number): Promise<string[] | undefined> {
  try {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `n${n}` };
    const body = JSON.stringify({ n, all: n % 4 !== 0 });
    const response = await fetch(`${url}/demo/several`, { method: 'POST', headers, body });
    const answer = (await response.json()) as { runs?: { run_id: string }[] };
    return response.status === 202 ? answer.runs?.map(({ run_id: id }) => id) : undefined;
  } catch {
    return undefined;
  }
}

/** By id of each run, its workflow. */
async function storedRuns(server: ServerProcess, sinkId: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: any = await admin(server, 'GET', `/runs?sink_id=${sinkId}&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`);
    for (const { run_id: id, workflow_id: workflow } of page.runs) found.set(id, workflow);
    cursor = page.next_cursor;
  }
  return found;
}

test('a request starts all of its workflows or none, and again the same ones', { timeout: 240_000 }, async () => {
  const dataDir = tempDir();
  let server = await startServerProcess({ dataDir });
  const sinkId = await define(server);
  /** By number of the request, the runs that its answer named. */
  const sent = new Map<number, string[] | undefined>();
  let answered = 0;
  let next = 0;
  let isOver = false;
  const sendOn = async (): Promise<void> => {
    while (!isOver) {
      const n = next++;
      const runs = await send(server, n);
      sent.set(n, runs);
      if (runs === undefined) await after(100);
      else answered += 1;
    }
  };
  const sending = Array.from({ length: SENDERS }, sendOn);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const from = answered;
    await until('more answers', () => answered >= from + ANSWERS, 60_000);
    server.kill('SIGKILL');
    await server.exited;
    server = await startServerProcess({ dataDir });
  }
  isOver = true;
  await Promise.all(sending);

  const before = await storedRuns(server, sinkId);
  let unanswered = 0;
  const named = new Set<string>();
  for (const [n, runs] of sent) {
    // As a sender does, every request without an answer comes again, and some of the others do.
    const again = runs === undefined || n % 20 === 0 ? await send(server, n) : runs;
    expect(again).toEqual(runs ?? again);
    for (const id of again as string[]) named.add(id);
    const known = (again as string[]).filter((id) => before.has(id)).length;
    expect(runs === undefined ? [0, again?.length] : [again?.length]).toContain(known);
    if (runs === undefined) unanswered += 1;
  }
  expect(unanswered).toBeGreaterThan(0);
  const stored = await storedRuns(server, sinkId);
  expect([...stored.keys()].toSorted()).toEqual([...named].toSorted());
  const started = [...sent.keys()].map((n) => (n % 4 === 0 ? 1 : WORKFLOWS.length));
  expect(stored.size).toBe(started.reduce((sum, count) => sum + count, 0));
  const hasEnded = async (): Promise<boolean> => {
    const { runs } = await admin(server, 'GET', `/runs?sink_id=${sinkId}&status=completed&limit=500`);
    return runs.length === Math.min(500, stored.size);
  };
  await until('the runs to end', hasEnded, 60_000);
});
