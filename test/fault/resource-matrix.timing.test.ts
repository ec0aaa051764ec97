// Every public input in a process of 512 MB: bodies of 1 KB to 10 MB, from one caller to three hundred, who read, are
// slow, or say nothing more. Whatever they do, the process lives, answers /healthz at once, and starts again.

import { once } from 'node:events';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { lowerThreadPriority } from '../../src/threads/background-thread.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { admin, defineFlow } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Call, callTogether, type Pace } from './callers.ts';
import { cpuMs } from './measures.ts';

/** Small bodies are sent, and build up, in less time. A cell ends before its time when nothing more can build up. */
const SIZES = {
  '1 KB': { bytes: 1000, cellMs: 400 },
  '1 MB': { bytes: 1_000_000, cellMs: 700 },
  '10 MB': { bytes: 10_000_000, cellMs: 1000 },
};
/** A server that computes no more than this in this time is at rest. The probe alone makes it compute a little. */
const REST = { ms: 300, cpuMs: 30 };
const CALLERS = [1, 30, 300];
const PACES: readonly Pace[] = ['reading', 'slow', 'silent'];
const HEALTH_MS = 300;
/** Callers, probe and server share the machine, which may stall by itself; a stall of the server's own comes each time. */
const TRIES = 3;
const ENV = { NODE_OPTIONS: '--max-old-space-size=512', SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };

/** Gives the call of one input for a size; may make what the call is about first. */
type MakeCall = (server: ServerProcess, bytes: number) => Promise<Call>;

const post = (path: string, type: string, accept = 'application/json'): string =>
  `POST /demo/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: ${accept}\r\nContent-Type: ${type}\r\n`;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;

/** Lists of empty objects take more memory than any other JSON of their size. */
const worstJson = (bytes: number): Buffer => Buffer.from(`{"data":[${'{},'.repeat(Math.floor(bytes / 3) - 6)}{}]}`);

const textJson = (bytes: number): Buffer => Buffer.from(JSON.stringify({ data: 'x'.repeat(bytes - 20) }));

/** Ends once it has been stored, with an output of the size. */
async function runWithOutput(server: ServerProcess, bytes: number): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/demo/echo`, { method: 'POST', headers, body: new Uint8Array(textJson(bytes)) });
  return ((await response.json()) as any).run_id;
}

/** Noise, which no format makes smaller. */
async function noise(bytes: number): Promise<Buffer> {
  const side = Math.max(8, Math.round(Math.sqrt(bytes / 3)));
  const raw = Buffer.alloc(side * side * 3);
  for (let at = 0, state = 1; at < raw.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    raw[at] = state >>> 24;
  }
  return await sharp(raw, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

const INPUTS: Record<string, MakeCall> = {
  'trigger JSON': async (_server, bytes) => ({ head: post('echo', 'application/json'), body: worstJson(bytes), paced: 'body' }),
  form: async (_server, bytes) => ({
    head: post('echo', 'application/x-www-form-urlencoded'),
    body: Buffer.from(`data=${'x'.repeat(bytes - 5)}`),
    paced: 'body',
  }),
  file: async (_server, bytes) => ({ head: post('file', 'application/octet-stream'), body: Buffer.alloc(bytes, 7), paced: 'body' }),
  'image step': async (_server, bytes) => ({ head: post('image', 'image/png'), body: await noise(bytes * 0.95), paced: 'body' }),
  stream: async (server, bytes) => ({ head: get(`/runs/${await runWithOutput(server, bytes)}/events`), body: null, paced: 'answer' }),
  wait: async (_server, bytes) => ({ head: post('echo', 'application/json'), body: textJson(bytes), paced: 'answer' }),
  lookup: async (server, bytes) => ({ head: get(`/runs/${await runWithOutput(server, bytes)}`), body: null, paced: 'answer' }),
};

async function define(server: ServerProcess): Promise<void> {
  const echo = { type: 'sluice/set@v1', name: 's', values: { data: '$inputs.data' } };
  await defineFlow(server, 'echo', { steps: [echo], inputs: ['data'], outputs: { data: '$steps.s.data' }, response: 'wait' });
  await admin(server, 'POST', '/apps/demo/sinks', { path: '/file', method: 'POST', response: 'wait' });
  const hook = {
    type: 'roboflow_core/webhook_sink@v1',
    name: 'hook',
    url: 'http://127.0.0.1:9/',
    method: 'POST',
    cooldown_seconds: 0,
    multi_part_encoded_files: { image: '$request.body' },
    multi_part_encoded_files_operations: { image: [{ type: 'ConvertImageToJPEG' }] },
  };
  await defineFlow(server, 'image', { steps: [hook], response: 'wait' });
}

/** Peak of resident memory since it was last set back. */
const peakMb = ({ child }: ServerProcess): number =>
  Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024);
const resetPeak = ({ child }: ServerProcess): void => writeFileSync(`/proc/${child.pid}/clear_refs`, '5');

interface Health {
  longest: number;
  failed: number;
}

function startProbe(url: string): () => Promise<Health> {
  const probe = new Worker(new URL('./health-probe.mjs', import.meta.url), { workerData: { url }, execArgv: [] });
  onTestEnd(() => void probe.terminate());
  return async () => {
    const answer = once(probe, 'message');
    probe.postMessage('tell');
    return (await answer)[0] as Health;
  };
}

/** Callers are on other machines in truth: here they leave the processor to the server and to the probe. */
async function asOthersDo<Result>(call: () => Promise<Result>): Promise<Result> {
  lowerThreadPriority();
  try {
    return await call();
  } finally {
    takePriorityBack();
  }
}

/** What is started from here on inherits the priority; only root may take it back. */
function takePriorityBack(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  setPriority(Number(basename(readlinkSync('/proc/thread-self'))), 0);
}

interface Cell {
  call: Call;
  callers: number;
  pace: Pace;
  cellMs: number;
}

/** Returns true when the time of the cell is over, or its callers have sent what they send and the server is at rest. */
function endOf(server: ServerProcess, { call, callers, pace, cellMs }: Cell): (areSent: boolean) => boolean {
  const began = performance.now();
  const buildsUpToTheEnd = pace === 'reading' || (pace === 'slow' && call.paced === 'body' && callers > 1);
  let from = { at: began, cpu: cpuMs(server) };
  return (areSent) => {
    const at = performance.now();
    if (at - began >= cellMs || server.child.exitCode !== null) return true;
    if (buildsUpToTheEnd || at - from.at < REST.ms) return false;
    const cpu = cpuMs(server);
    const isAtRest = areSent && cpu - from.cpu <= REST.cpuMs;
    from = { at, cpu };
    return isAtRest;
  };
}

test.each(Object.keys(INPUTS))('%s', { timeout: 240_000 }, async (input) => {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir, env: ENV });
  await define(server);
  const health = startProbe(server.url);
  const port = Number(new URL(server.url).port);
  for (const [size, { bytes, cellMs }] of Object.entries(SIZES)) {
    const call = await (INPUTS[input] as MakeCall)(server, bytes);
    for (const callers of CALLERS) {
      for (const pace of PACES) {
        let wasInTime = false;
        for (let tried = 0; tried < TRIES && !wasInTime; tried += 1) {
          await health();
          resetPeak(server);
          const statuses = await asOthersDo(() => callTogether(port, callers, call, pace, endOf(server, { call, callers, pace, cellMs })));
          const { longest, failed } = await health();
          const cell = `${input}, ${size}, ${callers} ${pace}: peak ${peakMb(server)} MB, /healthz ${Math.round(longest)} ms, ${JSON.stringify(Object.fromEntries(statuses))}`;
          process.stdout.write(`${cell}\n`);
          expect(server.child.exitCode, `${cell}\n${server.output().slice(-2000)}`).toBeNull();
          expect(failed, cell).toBe(0);
          for (const status of statuses.keys()) expect(['200', '202', '400', '413', '502', '503', 'none'], cell).toContain(status);
          wasInTime = longest < HEALTH_MS;
        }
        expect(wasInTime, `${input}, ${size}, ${callers} ${pace}: /healthz was slow ${TRIES} times`).toBe(true);
      }
    }
  }
  server.kill('SIGKILL');
  await server.exited;
  const again = await startServerProcess({ dataDir, env: ENV });
  expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
});
