// Sends wrong tokens at a steady rate from one address, and prints what a good client behind the same address notices, and how
// much memory and disk the server takes meanwhile: `node --import tsx scripts/bench/flood/main.ts [per second] [seconds] [rounds]`.

import { readdirSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Bench, makeDirectory } from '../bench.ts';
import { withCleanups } from '../cleanups.ts';
import { cpuMicros, residentMegabytes } from '../process-usage.ts';
import { type SluiceProcess, startSluice } from '../sluice-process.ts';
import { median, percentile, sorted } from '../statistics.ts';
import { fixed, formatTable } from '../table.ts';

const TOKEN = 'token-of-the-good-client';
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const GOOD_PER_SECOND = 40;
const QUIET_SECONDS = 10;
const DEFINITIONS = JSON.stringify({
  apps: [{ id: 'flood' }],
  sinks: [{ app_id: 'flood', path: '/in', method: 'POST', auth_token: TOKEN, response: 'wait' }],
});

interface Phase {
  statuses: Record<string, number>;
  p50: number;
  p99: number;
  /** Of one core. */
  cpuPercent: number;
  memoryMb: number;
  /** Growth of the data directory. */
  diskKbPerRun: number;
}

await withCleanups(async (onEnd) => {
  const [perSecond = 200, seconds = 20, rounds = 3] = process.argv.slice(2).map(Number);
  const bench = { signal: new AbortController().signal, onEnd, options: { directory: tmpdir() } } as unknown as Bench;
  const server = await startSluice(bench, makeDirectory(bench), { definitions: DEFINITIONS });
  await measure(server, QUIET_SECONDS, 0);
  const quiet: Phase[] = [];
  const flooded: Phase[] = [];
  for (let round = 0; round < rounds; round += 1) {
    quiet.push(await measure(server, QUIET_SECONDS, 0));
    flooded.push(await measure(server, seconds, perSecond));
  }
  const columns = ['', 'good p50 ms', 'good p99 ms', 'CPU %', 'memory MB', 'disk KB per good request', 'answers'];
  const rows = [rowOf('quiet', quiet), rowOf(`${perSecond} wrong tokens a second, ${seconds} s`, flooded)];
  console.log(`medians of ${rounds} rounds, one after the other`);
  console.log(formatTable(columns, rows));
  const { rejections } = (await server.admin('GET', '/rejections?limit=500')) as { rejections: { count: number; status: number }[] };
  const counted = rejections.reduce((sum, { count }) => sum + count, 0);
  console.log(`${rejections.length} entries of rejections, which count ${counted} requests`);
});

function rowOf(name: string, phases: readonly Phase[]): string[] {
  const of = (figure: 'p50' | 'p99' | 'cpuPercent' | 'memoryMb' | 'diskKbPerRun'): string =>
    fixed(median(phases.map((phase) => phase[figure])), 1);
  return [name, of('p50'), of('p99'), of('cpuPercent'), of('memoryMb'), of('diskKbPerRun'), JSON.stringify(phases.at(-1)?.statuses)];
}

/** Sends right tokens, and wrong ones at `wrongPerSecond`. */
async function measure(server: SluiceProcess, seconds: number, wrongPerSecond: number): Promise<Phase> {
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  const [cpuBefore, startedAt] = [cpuMicros(server.pid), performance.now()];
  const bytesBefore = bytesIn(server.dataDir);
  const good = steadily(GOOD_PER_SECOND, seconds, async () => {
    const began = performance.now();
    const status = await send(server.port, TOKEN);
    times.push(performance.now() - began);
    statuses[`good ${status}`] = (statuses[`good ${status}`] ?? 0) + 1;
  });
  const wrong = steadily(wrongPerSecond, seconds, async (n) => {
    const status = await send(server.port, `wrong-${n}`);
    statuses[`wrong ${status}`] = (statuses[`wrong ${status}`] ?? 0) + 1;
  });
  await Promise.all([good, wrong]);
  const all = sorted(times);
  return {
    statuses,
    p50: percentile(all, 0.5),
    p99: percentile(all, 0.99),
    cpuPercent: (cpuMicros(server.pid) - cpuBefore) / (performance.now() - startedAt) / 10,
    memoryMb: residentMegabytes(server.pid),
    diskKbPerRun: (bytesIn(server.dataDir) - bytesBefore) / 1024 / times.length,
  };
}

/** Calls `act` by the clock, whether or not earlier calls have ended, and waits for all of them. */
async function steadily(perSecond: number, seconds: number, act: (n: number) => Promise<void>): Promise<void> {
  const began = performance.now();
  const acts: Promise<void>[] = [];
  while (acts.length < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - began) / 1000) * perSecond) + 1);
    while (acts.length < due) acts.push(act(acts.length));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(acts);
}

function send(port: number, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = request({ port, path: '/flood/in', method: 'POST', headers, agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end('{"event":"flood"}');
  });
}

function bytesIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
