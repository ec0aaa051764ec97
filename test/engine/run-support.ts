// What the tests of the engine ask of a running application.

import { allFrames, type Frame } from '../support/event-stream.ts';
import type { TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

/** Saves the workflow, makes a sink for it and starts a run of it; resolves once the run is on disk. */
export async function startRun(app: TestApp, definition: Record<string, unknown>, body: unknown = {}): Promise<string> {
  await app.workflow('flow', definition);
  const { body: sinks } = await app.admin('GET', '/apps/shop/sinks');
  if (!sinks.sinks.some((sink: { path: string }) => sink.path === '/flow'))
    await app.sink({ path: '/flow', workflow_id: 'flow', response: 'accept' });
  return await trigger(app, body);
}

/** Another run of the same workflow. */
export async function trigger(app: TestApp, body: unknown = {}): Promise<string> {
  const response = await fetch(`${app.url}/shop/flow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  if (response.status !== 202) throw new Error(`expected 202, got ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { run_id: string }).run_id;
}

export async function getRun(app: TestApp, runId: string): Promise<any> {
  return (await app.admin('GET', `/runs/${runId}`)).body;
}

export async function stepOf(app: TestApp, runId: string, step: string): Promise<any> {
  return (await getRun(app, runId)).steps.find((record: { step: string }) => record.step === step);
}

export function reaches(app: TestApp, runId: string, status: string): Promise<any> {
  return until(`${runId} to be ${status}`, async () => {
    const run = await getRun(app, runId);
    return run.status === status ? run : null;
  });
}

/** Every event of the run, up to the one that ends it. */
export async function eventsOf(app: TestApp, runId: string): Promise<Frame[]> {
  return await allFrames(await fetch(`${app.url}/runs/${runId}/events`));
}

/** A clock that stands still until a test moves it. */
export function handClock(): { clock: () => number; advance(ms: number): void } {
  let now = Date.now();
  return {
    clock: () => now,
    advance(ms) {
      now += ms;
    },
  };
}

export const set = (name: string, values: Record<string, unknown>, fields: Record<string, unknown> = {}) => ({
  type: 'sluice/set@v1',
  name,
  values,
  ...fields,
});
export const post = (name: string, fields: Record<string, unknown> = {}) => ({ type: 'test/post@v1', name, ...fields });
export const delay = (name: string, seconds: number, fields: Record<string, unknown> = {}) => ({
  type: 'sluice/delay@v1',
  name,
  seconds,
  ...fields,
});
export const output = (name: string, selector: string) => ({ type: 'JsonField', name, selector });
