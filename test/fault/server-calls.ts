// What the fault tests ask of a server.

import { expect } from 'vitest';
import type { ServerProcess } from '../support/server-process.ts';

const HEADERS = { authorization: 'Bearer admin-token-of-the-tests', 'content-type': 'application/json' };

type Server = Pick<ServerProcess, 'url'>;

/** Makes two sinks: `/fault/hook` answers 202 at once, `/fault/later` the same and its run waits `seconds`. */
export async function defineSinks({ url }: Server, seconds = 1): Promise<void> {
  const steps = [{ type: 'sluice/delay@v1', name: 'pause', seconds }];
  const workflow = JSON.stringify({ version: '1.0', inputs: [], steps, outputs: [] });
  const put = await fetch(`${url}/api/v1/apps/fault/workflows/later`, { method: 'PUT', headers: HEADERS, body: workflow });
  expect(put.status).toBe(200);
  for (const sink of [{ path: '/hook' }, { path: '/later', workflow_id: 'later' }]) {
    const body = JSON.stringify({ method: 'POST', response: 'accept', ...sink });
    const made = await fetch(`${url}/api/v1/apps/fault/sinks`, { method: 'POST', headers: HEADERS, body });
    expect(made.status).toBe(201);
  }
  // Reads are served by a thread that opens while the server answers already: a fault comes when all of it is up.
  expect((await fetch(`${url}/api/v1/runs`, { headers: HEADERS })).status).toBe(200);
}

export interface Answer {
  status: number;
  runId: string | null;
  retryAfter: string | null;
  message: string;
  ms: number;
}

export async function trigger({ url }: Server, path = '/fault/hook', body: string | FormData = '{"n":1}'): Promise<Answer> {
  const began = performance.now();
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    ...(body instanceof FormData ? {} : { headers: { 'content-type': 'application/json' } }),
    body,
  });
  const text = await response.text();
  const ms = performance.now() - began;
  const document = JSON.parse(text) as { run_id: string | null; message?: string };
  return {
    status: response.status,
    runId: document.run_id,
    retryAfter: response.headers.get('retry-after'),
    message: document.message ?? '',
    ms,
  };
}

export async function statusOf({ url }: Server, runId: string): Promise<string> {
  const response = await fetch(`${url}/runs/${runId}`);
  return ((await response.json()) as { status: string }).status;
}

export async function health({ url }: Server, path = '/healthz'): Promise<{ status: number; ms: number }> {
  const began = performance.now();
  const response = await fetch(`${url}${path}`);
  await response.text();
  return { status: response.status, ms: performance.now() - began };
}
