// Definitions in files: read at start, again on save and on demand, with secrets from the environment.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const HOOK = 'sinks:\n  - { app_id: crew, path: /hook, method: POST }\n';

/** How a file names an environment variable. */
const variable = (name: string): string => `\${env:${name}}`;

/** A folder of definition files, by name. */
function folderOf(files: Record<string, string>, onEnd = onTestEnd): string {
  const path = join(tempDir(onEnd), 'definitions');
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** One app for the tests that change its files: each sets the folder to what it needs. */
const folder = folderOf({ 'hook.yaml': HOOK }, (cleanup) => afterAll(cleanup));
const app = shareApp({ settings: { config: folder }, environment: { HOOK_TOKEN: 'from-the-environment' } });

/** The files of the folder are these and no others, and the server has read them. Returns what it complained of. */
async function setFiles(files: Record<string, string>): Promise<string[]> {
  const before = errors().length;
  for (const name of readdirSync(folder)) if (!(name in files)) rmSync(join(folder, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  await app().reloadDefinitions();
  return errors().slice(before);
}

async function post(path: string, token?: string, to = app()): Promise<number> {
  const response = await fetch(to.url + path, { method: 'POST', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  await response.text();
  return response.status;
}

function errors(of: TestApp = app()): string[] {
  return of.logs.filter((line) => line.includes('"level":"error"'));
}

/** What is wrong in a file, and how it is told. */
const BROKEN: [string, string][] = [
  ['sinks:\n  - { app_id: crew\n', 'bad.yaml: '],
  ['sinks:\n  - app_id: crew\n    path: /x\n    method: POST\n    path: /y\n', 'bad.yaml: field "path" appears twice at line 5'],
  ['sinks:\n  - { app_id: crew, path: /x, method: POST, auth_tokn: a }\n', ': unknown field "auth_tokn"; known are app_id, path, method'],
  ['sink: []\n', 'unknown field "sink"; known are apps, workflows, sinks'],
  [
    `sinks:\n  - { app_id: crew, path: /x, method: POST, auth_token: "${variable('NOT_SET')}" }\n`,
    'bad.yaml: environment variable NOT_SET is not set',
  ],
  ['- a\n- b\n', 'bad.yaml: must hold a mapping with apps, workflows, sinks'],
  [
    `a: &a [x]\n${Array.from(
      { length: 12 },
      (_, index) =>
        `b${index}: &b${index} [${Array(9)
          .fill(index === 0 ? '*a' : `*b${index - 1}`)
          .join(', ')}]`,
    ).join('\n')}\n`,
    'bad.yaml: ',
  ],
  ['sinks:\n  - { app_id: crew, path: no-slash, method: POST }\n', '.path: must start with "/"'],
  ['sinks:\n  - { app_id: crew, path: /x, method: POST, workflow_id: gone }\n', 'no workflow "gone"'],
];

describe('at start', () => {
  test('what the files say holds from the first request on, secrets from the environment included', async () => {
    const file = join(tempDir(), 'sluice.yaml');
    writeFileSync(file, `${HOOK}  - { app_id: crew, path: /guarded, method: POST, auth_token: "${variable('HOOK_TOKEN')}" }\n`);
    const single = await startTestApp({ settings: { config: file }, environment: { HOOK_TOKEN: 'of-this-one' } });
    expect(await post('/crew/guarded', 'of-this-one', single)).toBe(200);
    expect(await post('/crew/guarded', variable('HOOK_TOKEN'), single)).toBe(401);
    writeFileSync(file, HOOK.replace('/hook', '/changed'));
    await single.reloadDefinitions();
    expect([await post('/crew/hook', undefined, single), await post('/crew/changed', undefined, single)]).toEqual([404, 200]);
  });

  test('a fault keeps the server from starting, with one line that says why', async () => {
    const [text, expected] = BROKEN[2] as [string, string];
    const reason = await startTestApp({ settings: { config: folderOf({ 'bad.yaml': text }) } }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(reason).toContain(expected);
    expect(reason).not.toContain('\n');
  });
});

describe('the files of a folder', () => {
  test('are read as one, in YAML of either ending, numbers digit for digit', async () => {
    const complaints = await setFiles({
      '10-workflow.yaml': `
workflows:
  - app_id: crew
    id: exact
    definition:
      version: "1.0"
      inputs: []
      steps: [{ type: sluice/set@v1, name: s, values: { n: 1.0, id: 12345678901234567890 } }]
      outputs: [{ type: JsonField, name: s, selector: $steps.s.* }]
`,
      '20-sinks.yml': 'sinks:\n  - { app_id: crew, path: /exact, method: POST, workflow_id: exact }\n',
      '30-more.yaml': `apps: [{ id: crew, name: Crew }]\nsinks:\n  - { app_id: crew, path: /guarded, method: POST, auth_token: "${variable('HOOK_TOKEN')}" }\n`,
      '40-empty.yaml': '# nothing yet\n',
      'README.md': 'sinks: not YAML at all: {',
    });
    expect(complaints).toEqual([]);
    const response = await fetch(`${app().url}/crew/exact`, { method: 'POST' });
    expect(await response.text()).toContain('"output":{"s":{"n":1.0,"id":12345678901234567890}}');
    expect(await post('/crew/guarded', 'from-the-environment')).toBe(200);
    expect((await app().admin('GET', '/apps/crew')).body).toMatchObject({ id: 'crew', name: 'Crew', managed_by: 'config' });
  });

  test('own what they define: the API does not change it, 409 says where it is defined', async () => {
    await setFiles({
      'all.yaml': `apps: [{ id: crew, name: Crew }, { id: bare }]
workflows:
  - { app_id: crew, id: w, definition: { version: "1.0", inputs: [], steps: [], outputs: [] } }
${HOOK}`,
    });
    const { id } = (await app().admin('GET', '/sinks')).body.sinks.find(({ path }: any) => path === '/hook');
    const attempts: [string, string, unknown?][] = [
      ['PUT', `/apps/crew/sinks/${id}`, { path: '/hook', method: 'POST' }],
      ['DELETE', `/apps/crew/sinks/${id}`],
      ['POST', `/apps/crew/sinks/${id}/rotate-token`],
      ['PUT', '/apps/crew/workflows/w', { version: '1.1', inputs: [], steps: [], outputs: [] }],
      ['DELETE', '/apps/crew/workflows/w'],
      ['PUT', '/apps/crew', { name: 'Mine' }],
      ['DELETE', '/apps/bare'],
    ];
    for (const [method, path, body] of attempts) {
      const refused = await app().admin(method, path, body);
      expect(refused.status, `${method} ${path}`).toBe(409);
      expect(refused.body.error.message).toContain('is defined in the configuration files; change it there');
    }
    const clash = await app().admin('POST', '/apps/crew/sinks', { path: '/hook', method: 'POST' });
    expect([clash.status, clash.body.error.sink_id]).toEqual([409, id]);
    expect((await app().admin('POST', '/apps/crew/sinks', { path: '/by-hand', method: 'POST' })).status).toBe(201);
  });

  test('take effect on save, when one is written, added or removed', async () => {
    await setFiles({ 'a.yaml': HOOK });
    const complaints = errors().length;
    writeFileSync(join(folder, 'a.yaml'), HOOK.replace('/hook', '/changed'));
    await until('the changed sink', async () => (await post('/crew/changed')) === 200);
    expect(await post('/crew/hook')).toBe(404);
    writeFileSync(join(folder, 'b.yaml'), HOOK.replace('/hook', '/added'));
    await until('the added sink', async () => (await post('/crew/added')) === 200);
    rmSync(join(folder, 'b.yaml'));
    await until('the removed sink to go', async () => (await post('/crew/added')) === 404);
    expect(await post('/crew/changed')).toBe(200);
    expect(errors()).toHaveLength(complaints);
  });

  test('are read once for many who ask at once', async () => {
    await setFiles({ 'a.yaml': HOOK });
    const complaints = errors().length;
    writeFileSync(join(folder, 'a.yaml'), `${HOOK}  - { app_id: crew, path: /second, method: POST }\n`);
    await Promise.all([1, 2, 3, 4].map(() => app().reloadDefinitions()));
    expect(errors()).toHaveLength(complaints);
    expect(await post('/crew/second')).toBe(200);
  });

  test('do not touch runs: a stream that is open goes on without its sink', async () => {
    const paused =
      'workflows:\n  - { app_id: crew, id: p, definition: { version: "1.0", inputs: [], steps: [{ type: sluice/delay@v1, name: d, seconds: 0.3 }], outputs: [] } }\n';
    await setFiles({ 'a.yaml': `${paused}${HOOK.replace('method: POST', 'method: POST, workflow_id: p')}` });
    const open = await fetch(`${app().url}/crew/hook`, { method: 'POST' });
    await setFiles({ 'a.yaml': 'sinks: []\n' });
    expect(await post('/crew/hook')).toBe(404);
    expect(await open.text()).toContain('"type":"complete"');
  });

  test('change nothing when one is not valid, and the log says why; the next ones that are valid count', async () => {
    await setFiles({ 'a.yaml': HOOK });
    for (const [text, reason] of BROKEN) {
      const [complaint] = await setFiles({ 'a.yaml': HOOK, 'bad.yaml': text });
      const { reason: told, msg } = JSON.parse(complaint as string);
      expect(told).toContain(reason);
      expect(told).not.toContain('\n');
      expect(msg).toContain('the definitions stay as they were');
      expect([await post('/crew/hook'), await post('/crew/x')]).toEqual([200, 404]);
    }
    await setFiles({ 'a.yaml': HOOK.replace('/hook', '/fixed') });
    expect([await post('/crew/hook'), await post('/crew/fixed')]).toEqual([404, 200]);
  });
});
