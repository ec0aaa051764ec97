// Definitions in files: read at start, again on save and on demand, with secrets from the environment.

import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** A look at the files each second is what is promised; the rest is for a machine that is busy. */
const NOTICED_MS = 30_000;

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
  ['sinks:\n  - { app_id: crew\n', 'bad.yaml:3: '],
  ['sinks:\n  - app_id: crew\n    path: /x\n    method: POST\n    path: /y\n', 'bad.yaml:5: field "path" appears twice'],
  [
    'sinks:\n  - app_id: crew\n    path: /x\n    method: POST\n    auth_tokn: a\n',
    'bad.yaml:5: sinks[0]: unknown field "auth_tokn"; did you mean "auth_token"? Known are app_id, path, method',
  ],
  ['# first\nsink: []\n', 'bad.yaml:2: unknown field "sink"; did you mean "sinks"? Known are apps, workflows, sinks, settings'],
  [
    `sinks:\n  - { app_id: crew, path: /x, method: POST, auth_token: "${variable('NOT_SET')}" }\n`,
    'bad.yaml:2: environment variable NOT_SET is not set',
  ],
  ['- a\n- b\n', 'bad.yaml:1: must be a mapping with apps, workflows, sinks'],
  ['sinks:\n  - { app_id: crew, path: no-slash, method: POST }\n', 'bad.yaml:2: sinks[0].path: must start with "/"'],
  [
    'sinks:\n  - { app_id: crew, path: /x, method: PSOT }\n',
    'bad.yaml:2: sinks[0].method: must be one of "GET", "POST", "PUT", "PATCH", "DELETE", "ANY"; did you mean "POST"?',
  ],
  [
    'workflows:\n  - { app_id: crew, id: done, definition: { version: "1.0", inputs: [], steps: [], outputs: [] } }\nsinks:\n  - app_id: crew\n    path: /x\n    method: POST\n    workflow_id: doen\n',
    'bad.yaml:7: sinks[0].workflow_id: app "crew" has no workflow "doen"; did you mean "done"?',
  ],
  [
    'sinks:\n  - app_id: crew\n    path: /x\n    method: POST\n    workflows:\n      - workflow_id: done\n        when:\n          $request.method: POST\n          $request.query.n: 17\n',
    'bad.yaml:9: sinks[0].workflows[0].when.$request.query.n: 17 can never match: the request has text here; write "17"',
  ],
  [
    'sinks:\n  - { app_id: crew, path: /x, method: POST, auth_token: }\n',
    'bad.yaml:2: sinks[0].auth_token: has no value; write a token, or null',
  ],
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

  test('every fault of every file is told, a line each', async () => {
    const files = {
      'a.yaml': 'sinks:\n  - { app_id: crew, path: a, method: POST }\n  - { app_id: crew, path: /b, method: POTS }\n',
      'b.yaml': 'apps: [{ id: api }]\n',
    };
    const path = folderOf(files);
    const reason = await startTestApp({ settings: { config: path } }).then(
      () => 'it started',
      (error: Error) => error.message.replaceAll(path, 'config'),
    );
    expect(reason.split('\n').map((line) => line.slice(0, 40))).toEqual([
      'config/b.yaml:1: apps[0].id: "api" is re',
      'config/a.yaml:2: sinks[0].path: must sta',
      'config/a.yaml:3: sinks[1].method: must b',
    ]);
  });

  test('a path that somebody named has to be there, with a file; the default one has not, and is seen when it comes', async () => {
    const missing = join(tempDir(), 'typo.yaml');
    const empty = folderOf({ 'notes.txt': '' });
    const start = (config: string): Promise<unknown> => startTestApp({ settings: { config } }).catch((error: Error) => error.message);
    expect(await start(missing)).toBe(`there is nothing at ${missing}; give a definition file, or a folder of definition files`);
    expect(await start(empty)).toBe(`there is no .yaml file in ${empty}`);
    const dataDir = tempDir();
    const single = await startTestApp({ dataDir });
    expect(await post('/crew/hook', undefined, single)).toBe(404);
    mkdirSync(join(dataDir, 'no-definitions'));
    writeFileSync(join(dataDir, 'no-definitions/a.yaml'), HOOK);
    await until('the file that has come', async () => (await post('/crew/hook', undefined, single)) === 200, NOTICED_MS);
    await single.close();
    rmSync(join(dataDir, 'no-definitions'), { recursive: true });
    const again = await startTestApp({ dataDir });
    expect(await post('/crew/hook', undefined, again)).toBe(200);
    const told = again.logs.find((line) => line.includes('what earlier ones defined stays in force'));
    expect(JSON.parse(told as string)).toMatchObject({ level: 'warn', sinks: ['crew POST /hook'] });
  });
});

describe('files that are swapped as a whole', () => {
  /** What Kubernetes mounts for a ConfigMap: the files are links through `..data`, and that one is replaced. */
  function configMap(): { path: string; swap: (text: string) => void } {
    const path = tempDir();
    let version = 0;
    const swap = (text: string): void => {
      version += 1;
      mkdirSync(join(path, `..v${version}`));
      writeFileSync(join(path, `..v${version}/s.yaml`), text);
      symlinkSync(`..v${version}`, join(path, '..data_tmp'));
      renameSync(join(path, '..data_tmp'), join(path, '..data'));
      if (version > 1) rmSync(join(path, `..v${version - 1}`), { recursive: true });
    };
    swap(HOOK);
    symlinkSync('..data/s.yaml', join(path, 's.yaml'));
    return { path, swap };
  }

  for (const named of ['the folder', 'the file']) {
    test(`as a ConfigMap is are noticed where the setting names ${named}, each time`, async () => {
      const { path, swap } = configMap();
      const mounted = await startTestApp({ settings: { config: named === 'the folder' ? path : join(path, 's.yaml') } });
      for (const next of ['/two', '/three']) {
        swap(HOOK.replace('/hook', next));
        await until(`${next}`, async () => (await post(`/crew${next}`, undefined, mounted)) === 200, NOTICED_MS);
      }
      expect([await post('/crew/hook', undefined, mounted), await post('/crew/two', undefined, mounted)]).toEqual([404, 404]);
      expect(errors(mounted)).toEqual([]);
    });
  }

  test('by a link to another release are noticed too, and so is a folder that goes and comes back', async () => {
    const path = tempDir();
    for (const [release, hook] of [
      ['v1', '/hook'],
      ['v2', '/two'],
    ] as const) {
      mkdirSync(join(path, release));
      writeFileSync(join(path, release, 's.yaml'), HOOK.replace('/hook', hook));
    }
    symlinkSync('v1', join(path, 'current'));
    const linked = await startTestApp({ settings: { config: join(path, 'current') } });
    symlinkSync('v2', join(path, 'next'));
    renameSync(join(path, 'next'), join(path, 'current'));
    await until('the other release', async () => (await post('/crew/two', undefined, linked)) === 200, NOTICED_MS);
    rmSync(join(path, 'current'));
    await until('the fault to be told', () => errors(linked).length > 0, NOTICED_MS);
    expect(await post('/crew/two', undefined, linked)).toBe(200);
    symlinkSync('v1', join(path, 'current'));
    await until('the folder that is back', async () => (await post('/crew/hook', undefined, linked)) === 200, NOTICED_MS);
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
    await until('the changed sink', async () => (await post('/crew/changed')) === 200, NOTICED_MS);
    expect(await post('/crew/hook')).toBe(404);
    writeFileSync(join(folder, 'b.yaml'), HOOK.replace('/hook', '/added'));
    await until('the added sink', async () => (await post('/crew/added')) === 200, NOTICED_MS);
    rmSync(join(folder, 'b.yaml'));
    await until('the removed sink to go', async () => (await post('/crew/added')) === 404, NOTICED_MS);
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

  test('in which nothing is left change nothing: whoever wants all of it gone leaves a file that says so', async () => {
    await setFiles({ 'a.yaml': HOOK });
    const [complaint] = await setFiles({});
    expect(JSON.parse(complaint as string).reason).toBe(`there is no .yaml file in ${folder}`);
    expect(await post('/crew/hook')).toBe(200);
    expect(await setFiles({ 'a.yaml': 'sinks: []\n' })).toEqual([]);
    expect(await post('/crew/hook')).toBe(404);
  });

  test('are valid again: the log says so once', async () => {
    const told = (): number => app().logs.filter((line) => line.includes('the definitions are valid again')).length;
    const before = told();
    await setFiles({ 'a.yaml': HOOK });
    await setFiles({ 'a.yaml': `${HOOK}oops: 1\n` });
    expect(told()).toBe(before);
    await setFiles({ 'a.yaml': HOOK });
    await setFiles({ 'a.yaml': HOOK });
    expect(told()).toBe(before + 1);
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
