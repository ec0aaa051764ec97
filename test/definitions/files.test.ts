// Definitions in files: read at start, again on save and on demand, with secrets from the environment.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const HOOK = 'sinks:\n  - { app_id: crew, path: /hook, method: POST }\n';

/** How a file names an environment variable. */
const variable = (name: string): string => `\${env:${name}}`;

/** A folder of definition files, by name. */
function folderOf(files: Record<string, string>): string {
  const folder = join(tempDir(), 'definitions');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function start(config: string, options: TestAppOptions = {}): Promise<TestApp> {
  return startTestApp({ settings: { config }, ...options });
}

async function post(to: TestApp, path: string, token?: string): Promise<number> {
  const response = await fetch(to.url + path, { method: 'POST', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  await response.text();
  return response.status;
}

function errorsOf(app: TestApp): string[] {
  return app.logs.filter((line) => line.includes('"level":"error"'));
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
  test('all files of a folder are read as one, and secrets come from the environment', async () => {
    const folder = folderOf({
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
    const app = await start(folder, { environment: { HOOK_TOKEN: 'from-the-environment' } });
    expect(await (await fetch(`${app.url}/crew/exact`, { method: 'POST' })).text()).toContain(
      '"output":{"s":{"n":1.0,"id":12345678901234567890}}',
    );
    expect(await post(app, '/crew/guarded', 'from-the-environment')).toBe(200);
    expect(await post(app, '/crew/guarded', variable('HOOK_TOKEN'))).toBe(401);
    expect((await app.admin('GET', '/apps')).body.apps).toMatchObject([{ id: 'crew', name: 'Crew', managed_by: 'config' }]);
  });

  test('a fault keeps the server from starting, with one line that says why', async () => {
    for (const [text, expected] of [BROKEN[0], BROKEN[2]] as [string, string][]) {
      const reason = await start(folderOf({ 'bad.yaml': text })).then(
        () => 'it started',
        (error: Error) => error.message,
      );
      expect(reason).toContain(expected);
      expect(reason).not.toContain('\n');
    }
  });

  test('a sink of the files that a sink of the API stands in the way of is taken over, and keeps its id', async () => {
    const dataDir = tempDir();
    const before = await startTestApp({ dataDir });
    const { id } = await before.sink({ path: '/hook', auth_token: 'old' }, 'crew');
    await before.close();
    const after = await start(folderOf({ 'hook.yaml': HOOK }), { dataDir });
    expect((await after.admin('GET', `/apps/crew/sinks/${id}`)).body).toMatchObject({ managed_by: 'config', public: true });
  });

  test('no folder is no fault: there is nothing to define', async () => {
    const app = await start(join(tempDir(), 'none'));
    expect((await app.admin('GET', '/sinks')).body.sinks).toEqual([]);
    await app.reloadDefinitions();
    expect(errorsOf(app)).toHaveLength(1);
  });
});

describe('what the files own', () => {
  test('the API does not change: 409 that says where it is defined', async () => {
    const app = await start(
      folderOf({
        'all.yaml': `apps: [{ id: crew, name: Crew }, { id: bare }]
workflows:
  - { app_id: crew, id: w, definition: { version: "1.0", inputs: [], steps: [], outputs: [] } }
${HOOK}`,
      }),
    );
    const [{ id }] = (await app.admin('GET', '/sinks')).body.sinks;
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
      const refused = await app.admin(method, path, body);
      expect(refused.status, `${method} ${path}`).toBe(409);
      expect(refused.body.error.message).toContain('is defined in the configuration files; change it there');
    }
    const clash = await app.admin('POST', '/apps/crew/sinks', { path: '/hook', method: 'POST' });
    expect([clash.status, clash.body.error.sink_id]).toEqual([409, id]);
    expect((await app.admin('POST', '/apps/crew/sinks', { path: '/more', method: 'POST' })).status).toBe(201);
  });
});

describe('a change of the files', () => {
  test('takes effect on save, when a file is written, added, renamed over or removed', async () => {
    const folder = folderOf({ 'a.yaml': HOOK });
    const app = await start(folder);
    expect(await post(app, '/crew/hook')).toBe(200);
    writeFileSync(join(folder, 'a.yaml'), HOOK.replace('/hook', '/changed'));
    await until('the changed sink', async () => (await post(app, '/crew/changed')) === 200);
    expect(await post(app, '/crew/hook')).toBe(404);
    writeFileSync(join(folder, 'b.yaml'), HOOK.replace('/hook', '/added'));
    await until('the added sink', async () => (await post(app, '/crew/added')) === 200);
    rmSync(join(folder, 'b.yaml'));
    await until('the removed sink to go', async () => (await post(app, '/crew/added')) === 404);
    expect(await post(app, '/crew/changed')).toBe(200);
    expect(errorsOf(app)).toEqual([]);
  });

  test('takes effect when asked for, in a single file too', async () => {
    const file = join(tempDir(), 'sluice.yaml');
    writeFileSync(file, HOOK);
    const app = await start(file);
    writeFileSync(file, HOOK.replace('/hook', '/changed'));
    await app.reloadDefinitions();
    expect([await post(app, '/crew/hook'), await post(app, '/crew/changed')]).toEqual([404, 200]);
  });

  test('that is not valid changes nothing, and the log says why; the next one that is valid counts', async () => {
    const folder = folderOf({ 'a.yaml': HOOK });
    const app = await start(folder);
    for (const [text, reason] of BROKEN) {
      writeFileSync(join(folder, 'bad.yaml'), text);
      await app.reloadDefinitions();
      const { reason: told, msg } = JSON.parse(errorsOf(app).at(-1) as string);
      expect(told).toContain(reason);
      expect(told).not.toContain('\n');
      expect(msg).toContain('the definitions stay as they were');
      expect([await post(app, '/crew/hook'), await post(app, '/crew/x')]).toEqual([200, 404]);
    }
    rmSync(join(folder, 'bad.yaml'));
    writeFileSync(join(folder, 'a.yaml'), HOOK.replace('/hook', '/fixed'));
    await app.reloadDefinitions();
    expect(await post(app, '/crew/fixed')).toBe(200);
  });

  test('that is asked for many times at once is made once', async () => {
    const file = join(tempDir(), 'sluice.yaml');
    writeFileSync(file, HOOK);
    const app = await start(file);
    writeFileSync(file, `${HOOK}  - { app_id: crew, path: /second, method: POST }\n`);
    await Promise.all([1, 2, 3, 4].map(() => app.reloadDefinitions()));
    expect(errorsOf(app)).toEqual([]);
    expect(await post(app, '/crew/second')).toBe(200);
  });

  test('does not touch runs: a stream that is open goes on', async () => {
    const file = join(tempDir(), 'sluice.yaml');
    const paused =
      'workflows:\n  - { app_id: crew, id: w, definition: { version: "1.0", inputs: [], steps: [{ type: sluice/delay@v1, name: d, seconds: 0.3 }], outputs: [] } }\n';
    writeFileSync(file, `${paused}${HOOK.replace('method: POST', 'method: POST, workflow_id: w')}`);
    const app = await start(file);
    const open = await fetch(`${app.url}/crew/hook`, { method: 'POST' });
    writeFileSync(file, 'sinks: []\n');
    await app.reloadDefinitions();
    expect(await post(app, '/crew/hook')).toBe(404);
    expect(await open.text()).toContain('"type":"complete"');
  });
});
