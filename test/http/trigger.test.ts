// A trigger, from the request to the last event of its stream.

import { expect, test } from 'vitest';
import { allFrames } from '../support/event-stream.ts';
import { startTestApp } from '../support/start-app.ts';

test('a request to a public sink streams progress from 0 to 100 and completes with the output', async () => {
  const app = await startTestApp();
  await app.workflow('greet', {
    inputs: [{ type: 'WorkflowParameter', name: 'name' }],
    steps: [{ type: 'sluice/set@v1', name: 'greeting', values: { to: '$inputs.name' } }],
    outputs: [{ type: 'JsonField', name: 'hello', selector: '$steps.greeting.to' }],
  });
  await app.sink({ path: '/hook', workflow_id: 'greet' });
  const response = await fetch(`${app.url}/shop/hook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"Ada"}',
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const runId = response.headers.get('x-run-id');
  const frames = await allFrames(response);
  expect(frames.map(({ text }) => text)).toEqual([
    `{"type":"progress","run_id":"${runId}","progress":0}`,
    `{"type":"progress","run_id":"${runId}","progress":100}`,
    `{"type":"complete","run_id":"${runId}","output":{"hello":"Ada"}}`,
  ]);
  expect(frames.map(({ id }) => id)).toEqual([1, 2, 3]);
});
