// The demo: served where a start asks for it, beside definitions of one's own, and gone where no start asks for it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const DEMO = join(import.meta.dirname, '../../config/demo');

async function sinksOf(app: TestApp): Promise<string[]> {
  const { sinks } = (await app.admin('GET', '/sinks')).body;
  return sinks.map(({ app_id: id, path, managed_by: owner }: any) => `${id}${path} ${owner}`);
}

const ALL = ['/api/v1/process', '/github-webhook', '/submit-form', '/webhook'].map((path) => `demo${path} demo`);

describe('the demo', () => {
  test('is served where it is asked for, told in the log, and gone at the next start that does not ask for it', async () => {
    const dataDir = tempDir();
    const first = await startTestApp({ dataDir, demoPath: DEMO });
    expect(await sinksOf(first)).toEqual(ALL);
    expect(first.demoPath).toBe(DEMO);
    expect(first.logs.join()).toContain('the demo is served, and anyone may trigger it');
    await (await fetch(`${first.url}/demo/webhook`, { method: 'POST' })).text();
    await first.close();
    const bare = await startTestApp({ dataDir });
    expect(await sinksOf(bare)).toEqual([]);
    expect((await bare.admin('GET', '/apps/demo/workflows')).body.workflows).toEqual([]);
    expect((await bare.admin('GET', '/runs?app_id=demo')).body.runs).toHaveLength(1);
    expect(bare.demoPath).toBeNull();
    expect(bare.logs.join()).not.toContain('demo');
    await bare.close();
    expect(await sinksOf(await startTestApp({ dataDir, demoPath: DEMO }))).toEqual(ALL);
  });

  test('leaves behind a workflow that a sink of somebody else runs', async () => {
    const dataDir = tempDir();
    const first = await startTestApp({ dataDir, demoPath: DEMO });
    await first.sink({ path: '/mine', workflow_id: 'process', response: 'wait' }, 'demo');
    await first.close();
    const bare = await startTestApp({ dataDir });
    expect(await sinksOf(bare)).toEqual(['demo/mine api']);
    const body = '{"data":[1.0]}';
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${bare.url}/demo/mine`, { method: 'POST', headers, body });
    expect(await answer.text()).toContain('"processed":[1.0]');
  });

  test('is not served where a path is named', async () => {
    const own = join(tempDir(), 'own.yaml');
    writeFileSync(own, 'sinks: [{ app_id: own, path: /x, method: POST }]\n');
    const named = await startTestApp({ demoPath: DEMO, settings: { config: own } });
    expect(await sinksOf(named)).toEqual(['own/x config']);
    expect(named.demoPath).toBeNull();
  });

  test('stands beside files of their own owner, and takes nothing from them, nor from what the API made', async () => {
    const dataDir = tempDir();
    const configPath = join(dataDir, 'own');
    const before = await startTestApp({ dataDir });
    await before.sink({ path: '/submit-form', auth_token: 'a-token' }, 'demo');
    await before.close();
    mkdirSync(configPath);
    writeFileSync(join(configPath, 'own.yaml'), 'sinks: [{ app_id: demo, path: /webhook, method: POST, auth_token: another }]\n');
    const app = await startTestApp({ dataDir, configPath, demoPath: DEMO });
    expect(await sinksOf(app)).toEqual([
      'demo/api/v1/process demo',
      'demo/github-webhook demo',
      'demo/submit-form api',
      'demo/webhook config',
    ]);
    for (const path of ['/submit-form', '/webhook']) expect((await fetch(`${app.url}/demo${path}`, { method: 'POST' })).status).toBe(401);
    await app.admin('POST', '/definitions/apply', {});
    expect(await sinksOf(app)).toEqual(['demo/api/v1/process demo', 'demo/github-webhook demo', 'demo/submit-form api']);
    await app.reloadDefinitions();
    expect(await sinksOf(app)).toContain('demo/webhook config');
  });

  test('is changed in its file alone, but anybody may take its app', async () => {
    const app = await startTestApp({ demoPath: DEMO });
    const [sink] = (await app.admin('GET', '/sinks')).body.sinks;
    const refused = await app.admin('PATCH', `/apps/demo/sinks/${sink.id}`, { response: 'wait' });
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining('belongs to the demo')]);
    expect((await app.admin('PUT', '/apps/demo', { name: 'Mine' })).body).toMatchObject({ name: 'Mine', managed_by: 'api' });
    await app.reloadDefinitions();
    expect((await app.admin('GET', '/apps/demo')).body.name).toBe('Mine');
  });
});
