// `sluice sink`: lists, creates and deletes sinks, and rotates their tokens.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();

const sink = (args: string[], environment: Record<string, string> = {}): Promise<CliResult> =>
  sluice(['sink', ...args], { environment: { ...adminOf(app()), ...environment } });

async function status(path: string, token?: string): Promise<number> {
  const response = await fetch(app().url + path, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  await response.text();
  return response.status;
}

describe('sink create', () => {
  test('makes a public sink from flags and says that it is public', async () => {
    const { code, stdout, stderr } = await sink(['create', '--app', 'shop', '--path', '/open', '--method', 'post']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'the sink is public: anyone may trigger it\n' });
    expect(stdout.replace(/snk_\w+/, 'snk_x')).toBe(`snk_x  POST ${app().url}/sink/trigger/http/shop/open\n`);
    expect(await status('/shop/open')).toBe(200);
  });

  test('makes a sink with a token and a workflow, and prints it as JSON without the token', async () => {
    await app().workflow('w', {});
    const flags = ['--app', 'shop', '--path', '/locked', '--method', 'ANY', '--auth-token', 'open-sesame', '--workflow', 'w'];
    const { code, stdout, stderr } = await sink(['create', ...flags, '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      app_id: 'shop',
      method: 'ANY',
      path: '/locked',
      auth: 'bearer',
      public: false,
      workflow_id: 'w',
    });
    expect(stdout).not.toContain('open-sesame');
    expect([await status('/shop/locked'), await status('/shop/locked', 'open-sesame')]).toEqual([401, 200]);
  });

  test('reads a JSON or YAML file, fills in variables, and lets flags stand above it', async () => {
    const json = join(tempDir(), 'sink.json');
    writeFileSync(json, JSON.stringify({ app_id: 'shop', path: '/from-json', method: 'POST', auth_token: null, limits: { files: 3 } }));
    expect(await sink(['create', '--file', json])).toMatchObject({ code: 0, stdout: expect.stringContaining('/shop/from-json\n') });
    const yaml = join(tempDir(), 'sink.yaml');
    writeFileSync(yaml, `path: /from-yaml\nmethod: PUT\nauth_token: \${env:HOOK_TOKEN}\n`);
    const made = await sink(['create', '--file', yaml, '--app', 'shop', '--method', 'POST'], { HOOK_TOKEN: 'from-the-environment' });
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/ {2}POST .*\/shop\/from-yaml\n$/), stderr: '' });
    expect(await status('/shop/from-yaml', 'from-the-environment')).toBe(200);
  });

  test('names what is wrong with flags, with the file, and with the sink', async () => {
    const file = join(tempDir(), 'sink.yaml');
    writeFileSync(file, 'path: /x\n  method: [');
    const cases: [args: string[], code: number, stderr: string | RegExp][] = [
      [['create', '--app', 'shop', '--path', '/x'], 2, 'sluice: --method is missing\n'],
      [['create', '--file', `${file}.not`], 1, `sluice: ${file}.not cannot be read (ENOENT)\n`],
      [['create', '--file', file], 1, /^sluice: .*sink\.yaml:1: .*\n$/],
      [
        ['create', '--app', 'shop', '--path', 'x', '--method', 'POST'],
        1,
        /^sluice: the sink is not valid: path: must start with "\/".* \(invalid\)\n$/,
      ],
      [['create', '--app', 'api', '--path', '/x', '--method', 'POST'], 1, /"api" is reserved for the server itself \(invalid\)\n$/],
      [['create', '--app', 'shop', '--path', '/x', '--method', 'FETCH'], 1, /method: must be one of "GET", .* \(invalid\)\n$/],
      [['create', '--app', 'shop', '--path', '/x', '--method', 'POST', '--workflow', 'none'], 1, /^sluice: .*none.* \(\w+\)\n$/],
    ];
    for (const [args, code, stderr] of cases) {
      const result = await sink(args);
      expect(result, args.join(' ')).toMatchObject({ code, stdout: '' });
      if (typeof stderr === 'string') expect(result.stderr).toBe(stderr);
      else expect(result.stderr).toMatch(stderr);
    }
  });
});

describe('sink list, rotate-token and delete', () => {
  test('show a sink, give it a new token, and delete it', async () => {
    const made = await app().sink({ path: '/hook', auth_token: 'old-token' }, 'crm');
    expect((await sink(['list', '--app', 'crm'])).stdout).toBe(
      [
        `SINK${' '.repeat(made.id.length - 4)}  APP  METHOD  PATH   AUTH    WORKFLOW  MANAGED BY`,
        `${made.id}  crm  POST    /hook  bearer  -         api`,
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await sink(['list', '--app', 'crm', '-o', 'json'])).stdout)).toEqual({ sinks: [made] });
    expect(await sink(['list', '--app', 'nobody'])).toEqual({ code: 0, stdout: '', stderr: 'no sinks\n' });

    const rotated = await sink(['rotate-token', made.id]);
    expect(rotated).toMatchObject({ code: 0, stderr: 'this is the only time that the token is shown\n' });
    expect([await status('/crm/hook', 'old-token'), await status('/crm/hook', rotated.stdout.trim())]).toEqual([401, 200]);
    const again = JSON.parse((await sink(['rotate-token', made.id, '-o', 'json'])).stdout);
    expect(await status('/crm/hook', again.auth_token)).toBe(200);

    expect(await sink(['delete', made.id])).toEqual({ code: 0, stdout: '', stderr: `deleted ${made.id}: POST /hook of app crm\n` });
    expect(await status('/crm/hook', again.auth_token)).toBe(404);
  });

  test('says how bodies are read, and shows it', async () => {
    const create = (body: string) => sink(['create', '--app', 'plant', '--path', '/sns', '--method', 'POST', '--body', body, '-o', 'json']);
    expect(JSON.parse((await create('json')).stdout)).toMatchObject({ path: '/sns', body: 'json' });
    expect(await create('xml')).toMatchObject({ code: 1, stderr: expect.stringContaining('body: must be one of "auto", "json"') });
  });

  test('make a sink for one platform, and name those that there are', async () => {
    const create = (payload: string) =>
      sink(['create', '--app', 'plant', '--path', '/frames', '--method', 'POST', '--payload', payload, '-o', 'json']);
    expect(JSON.parse((await create('robovision')).stdout)).toMatchObject({ path: '/frames', payload: 'robovision' });
    expect(await create('v8')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('payload: must be one of "robovision", "v7", "roboflow"'),
    });
  });

  test('mark a sink that anyone may trigger as public', async () => {
    await app().sink({ path: '/anyone' }, 'open');
    expect((await sink(['list', '--app', 'open'])).stdout).toMatch(/ {2}open {2}POST {4}\/anyone {2}public /);
  });

  test('say that there is no such sink', async () => {
    const stderr = 'sluice: there is no sink "snk_none"; "sluice sink list" shows all\n';
    for (const verb of ['delete', 'rotate-token']) expect(await sink([verb, 'snk_none'])).toEqual({ code: 1, stdout: '', stderr });
  });
});
