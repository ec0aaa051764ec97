// The sinks that the crash tests trigger: runs of one commit, of several, with retries, that fail, that only capture, a body or a file.

import type { ServerProcess } from '../support/server-process.ts';

const set = (name: string, value: unknown) => ({ type: 'sluice/set@v1', name, values: { value } });
const delay = (name: string, seconds: number, next: string) => ({ type: 'sluice/delay@v1', name, seconds, next_steps: [`$steps.${next}`] });
const retry = { max_retries: 3, base_seconds: 0.05, max_seconds: 0.1 };

const WORKFLOWS = {
  single: [set('a', '$inputs.id'), set('b', '$steps.a.value')],
  delay: [
    set('a', '$inputs.id'),
    delay('wait_1', 0.1, 'b'),
    set('b', '$steps.a.value'),
    delay('wait_2', 0.2, 'c'),
    set('c', '$steps.b.value'),
    delay('wait_3', 0.3, 'd'),
    set('d', '$steps.c.value'),
  ],
  retried: [{ type: 'sluice/fail@v1', name: 'shaky', times: 2, retry }, set('after', '$steps.shaky.attempts')],
  failing: [set('a', 1), { type: 'sluice/fail@v1', name: 'broken', message: 'always', retry }],
};

/** Paths below the server's address. */
export const PATHS = [
  '/crash/single',
  '/crash/delay',
  '/crash/capture',
  '/crash/retried',
  '/crash/single-wait',
  '/crash/failing',
  '/crash/file',
];

/** Makes workflows and sinks once; they live on in the data directory. */
export async function defineWorkload({ url }: Pick<ServerProcess, 'url'>): Promise<void> {
  const admin = async (method: string, path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${url}/api/v1/apps/crash${path}`, {
      method,
      headers: { authorization: 'Bearer admin-token-of-the-tests', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  };
  for (const [id, steps] of Object.entries(WORKFLOWS)) {
    const inputs = [{ type: 'WorkflowParameter', name: 'id', default_value: null }];
    await admin('PUT', `/workflows/${id}`, { version: '1.0', inputs, steps, outputs: [] });
    await admin('POST', '/sinks', { path: `/${id}`, method: 'POST', workflow_id: id });
  }
  await admin('POST', '/sinks', { path: '/single-wait', method: 'POST', workflow_id: 'single', response: 'wait' });
  for (const path of ['/capture', '/file']) await admin('POST', '/sinks', { path, method: 'POST', response: 'accept' });
}
