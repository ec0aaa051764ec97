// Calls the admin API of a server in another process, and triggers its sinks.

import type { ServerProcess } from './server-process.ts';

type Server = Pick<ServerProcess, 'url'>;

export async function admin({ url }: Server, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: 'Bearer admin-token-of-the-tests', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** Creates a workflow and its sink with the same name; the run outputs every step output in `outputs`. */
export async function defineFlow(
  server: Server,
  name: string,
  { steps, inputs = [], outputs = {}, response = 'accept' }: Flow,
): Promise<void> {
  const fields = Object.entries(outputs).map(([field, selector]) => ({ type: 'JsonField', name: field, selector }));
  const parameters = inputs.map((input) => ({ type: 'WorkflowParameter', name: input, default_value: null }));
  await admin(server, 'PUT', `/apps/demo/workflows/${name}`, { version: '1.0', inputs: parameters, steps, outputs: fields });
  await admin(server, 'POST', '/apps/demo/sinks', { path: `/${name}`, method: 'POST', workflow_id: name, response });
}

export interface Flow {
  steps: readonly object[];
  /** Names of workflow inputs. */
  inputs?: readonly string[];
  /** Selectors by name. */
  outputs?: Readonly<Record<string, string>>;
  response?: 'accept' | 'wait' | 'respond';
}

/** Triggers a sink of `defineFlow`; returns status and document. */
export async function triggerFlow({ url }: Server, name: string, body: unknown = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${url}/demo/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** Returns a step that sends to the address. */
export function webhook(name: string, url: string, properties: Record<string, unknown> = {}): object {
  return { type: 'roboflow_core/webhook_sink@v1', name, method: 'POST', url, cooldown_seconds: 0, ...properties };
}
