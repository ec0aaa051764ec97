// The real application on port 0 with its own data directory, inside the test process.

import { join } from 'node:path';
import { type AppOptions, type RunningApp, startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/logger.ts';
import { onTestEnd } from './cleanup.ts';
import { tempDir } from './temp-dir.ts';

export const ADMIN_TOKEN = 'admin-token-of-the-tests';

export interface TestApp extends RunningApp {
  /** Calls the admin API and returns the parsed answer. */
  admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }>;
  /** Creates a sink of app `shop` with the fields of a sink definition. */
  sink(fields: Record<string, unknown>, appId?: string): Promise<any>;
  /** Saves a workflow of app `shop` with these steps and outputs. */
  workflow(id: string, definition: Record<string, unknown>, appId?: string): Promise<any>;
  /** Log lines so far, as JSON text. */
  logs: string[];
}

export interface TestAppOptions extends Partial<Omit<AppOptions, 'config'>> {
  /** One clock that replaces all clocks of the machine, so that they never differ. */
  clock?: () => number;
  /** Settings by key, as flags: `{ rate_limit: '5' }`. */
  settings?: Record<string, string>;
  dataDir?: string;
  /** Replaces the default folder of definitions, which need not exist. */
  configPath?: string;
  /** Receives the function that closes the app; by default the end of the test calls it. */
  onEnd?: typeof onTestEnd;
}

const FLAGS = { host: '127.0.0.1', port: '0', admin_token: ADMIN_TOKEN, min_free_disk: '0B', drain_seconds: '5' };

export async function startTestApp({
  settings = {},
  onEnd = onTestEnd,
  dataDir = tempDir(onEnd),
  configPath = join(dataDir, 'no-definitions'),
  clock,
  ...options
}: TestAppOptions = {}): Promise<TestApp> {
  const logs: string[] = [];
  const flags = { ...FLAGS, data_dir: dataDir, ...settings };
  const { logger } = createLogger('info', { write: (line: string) => void logs.push(line) });
  const loaded = loadConfig({ flags, environment: {}, file: {} });
  const app = await startApp({
    config: { ...loaded, ...(settings['config'] === undefined ? { configPath } : {}) },
    environment: {},
    logger,
    version: 'test',
    onFatal: () => undefined,
    ...(clock === undefined ? {} : { clocks: { wall: clock, elapsedMs: clock, uptimeMs: clock } }),
    ...options,
  });
  onEnd(() => app.close());

  const admin = adminCaller(app.url);
  return {
    ...app,
    logs,
    admin,
    sink: async (fields, appId = 'shop') => must(201, await admin('POST', `/apps/${appId}/sinks`, { method: 'POST', ...fields })),
    workflow: async (id, definition, appId = 'shop') =>
      must(
        200,
        await admin('PUT', `/apps/${appId}/workflows/${id}`, { version: '1.0', inputs: [], steps: [], outputs: [], ...definition }),
      ),
  };
}

function adminCaller(url: string): TestApp['admin'] {
  return async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
}

/** Returns the body of an answer with the expected status, and throws otherwise. */
function must(expected: number, answer: { status: number; body: any }): any {
  if (answer.status !== expected) throw new Error(`expected ${expected}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
