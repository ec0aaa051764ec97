// `sluice validate`, `diff`, `apply` and `export`: definitions as files, checked here and applied there.

import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();

const cli = (args: string[], environment: Record<string, string> = {}): Promise<CliResult> =>
  sluice(args, { environment: { ...adminOf(app()), ...environment } });

/** Writes the files into a folder of their own, and returns its path. */
function folder(files: Record<string, string>): string {
  const path = tempDir();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const WORKFLOW = `
workflows:
  - app_id: shop
    id: price
    definition:
      version: "1.0"
      inputs: []
      steps: [{ type: sluice/set@v1, name: p, values: { price: 1.0, id: 12345678901234567890 } }]
      outputs: [{ type: JsonField, name: price, selector: $steps.p.price }]
`;
const SINKS = `
apps: [{ id: shop, name: Shop }]
sinks:
  - { app_id: shop, path: /price, method: POST, workflow_id: price }
  - { app_id: shop, path: /locked, method: POST, auth_token: "\${env:HOOK_TOKEN}" }
`;

describe('validate', () => {
  test('passes good files without a server and counts what they hold', async () => {
    const path = folder({ 'a.yaml': WORKFLOW, 'b.yml': `${SINKS}settings: { port: 8080 }\n`, 'notes.txt': 'not: [yaml' });
    const offline = { SLUICE_URL: 'http://127.0.0.1:1', HOOK_TOKEN: 'abc' };
    expect(await cli(['validate', path], offline)).toEqual({
      code: 0,
      stdout: `${path} is valid: 1 app, 1 workflow, 2 sinks\n`,
      stderr: '',
    });
    expect(await cli(['validate'], { ...offline, SLUICE_CONFIG: join(path, 'a.yaml') })).toEqual({
      code: 0,
      stdout: `${path}/a.yaml is valid: 0 apps, 1 workflow, 0 sinks\n`,
      stderr: '',
    });
  });

  test('names every fault with its file and its place in that file', async () => {
    const path = folder({
      'a.yaml': 'sinks:\n  - { app_id: shop, path: /a, method: POST }\nsettings: { prot: 1, port: many }\n',
      'b.yaml': 'sinks:\n  - { app_id: shop, path: b, method: POST }\n  - { app_id: shop, path: /c, method: POST, colour: red }\n',
      'c.yaml':
        'workflows:\n  - app_id: shop\n    id: w\n    definition: { version: "1.0", inputs: [], outputs: [], steps: [{ type: sluice/sett@v1, name: a }] }\n',
    });
    const { code, stdout, stderr } = await cli(['validate', path]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^sluice: .*\/a\.yaml:3: settings\.prot: no such setting; did you mean "port"\? Known are host, port, /),
      expect.stringMatching(/^sluice: .*\/a\.yaml:3: settings\.port: must be a whole number from 0 to 65535 \(it is "many"\)$/),
      expect.stringMatching(
        /^sluice: .*\/c\.yaml:4: workflows\[0\]\.definition\.steps\[0\]\.type: "sluice\/sett@v1" is not a step type; did you mean "sluice\/set@v1"\? Known are /,
      ),
      expect.stringMatching(/^sluice: .*\/b\.yaml:2: sinks\[0\]\.path: must start with "\/"/),
      expect.stringMatching(/^sluice: .*\/b\.yaml:3: sinks\[1\]: unknown field "colour"; known are /),
      '',
    ]);
  });

  test('names the file of what is defined twice, and the file that defined it first', async () => {
    const sink = '  - { app_id: shop, path: /a, method: POST }\n';
    const path = folder({ 'a.yaml': `sinks:\n${sink}`, 'b.yaml': `sinks:\n  - { app_id: shop, path: /b, method: POST }\n${sink}${sink}` });
    expect((await cli(['validate', path])).stderr).toBe(
      [
        `sluice: ${path}/b.yaml:3: sinks[1]: "shop POST /a" is already defined at sinks[0] of ${path}/a.yaml`,
        `sluice: ${path}/b.yaml:4: sinks[2]: "shop POST /a" is already defined at sinks[0] of ${path}/a.yaml`,
        '',
      ].join('\n'),
    );
  });

  test('names every file that cannot be read as definitions, and what is wrong with it', async () => {
    const path = folder({
      'a.yaml': 'sinks: [\n',
      'b.yaml': `sinks: \${env:NOT_SET_ANYWHERE}\n`,
      'c.yaml': '- a list\n',
      'd.yaml': 'sink: []\nsinks: {}\nsettings: 5\n',
      'e.yaml': 'apps: []\napps: []\n',
    });
    symlinkSync('nowhere', join(path, 'f.yaml'));
    const { code, stderr } = await cli(['validate', path]);
    expect(code).toBe(1);
    expect(stderr.replaceAll(path, 'config').split('\n')).toEqual([
      expect.stringMatching(/^sluice: config\/a\.yaml:2: .+$/),
      `sluice: config/b.yaml:1: environment variable NOT_SET_ANYWHERE is not set, but \${env:NOT_SET_ANYWHERE} needs it`,
      'sluice: config/c.yaml:1: must be a mapping with apps, workflows, sinks',
      'sluice: config/d.yaml:1: unknown field "sink"; did you mean "sinks"? Known are apps, workflows, sinks, settings',
      'sluice: config/d.yaml:2: sinks: must be a list',
      'sluice: config/d.yaml:3: settings: must be a mapping',
      'sluice: config/e.yaml:2: field "apps" appears twice',
      'sluice: config/f.yaml cannot be read (ENOENT)',
      '',
    ]);
  });

  test('says that nothing is there, or that a folder holds no file', async () => {
    const empty = folder({ 'readme.md': '' });
    expect(await cli(['validate', `${empty}/none`])).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: there is nothing at ${empty}/none; give a definition file, or a folder of definition files\n`,
    });
    for (const verb of ['validate', 'diff', 'apply'])
      expect(await cli([verb, empty]), verb).toEqual({ code: 1, stdout: '', stderr: `sluice: there is no .yaml file in ${empty}\n` });
  });
});

describe('diff, apply and export', () => {
  beforeEach(async () => {
    await app().admin('POST', '/definitions/apply', {});
  });

  test('show what would change, change it, and print it again as a file that changes nothing', async () => {
    const path = folder({ 'a.yaml': WORKFLOW, 'b.yaml': SINKS });
    const variables = { HOOK_TOKEN: 'from-the-environment' };
    const changes = '+ app shop\n+ workflow shop/price\n+ sink shop POST /price\n+ sink shop POST /locked\n';
    expect(await cli(['diff', path], variables)).toEqual({ code: 0, stdout: changes, stderr: '4 changes; "sluice apply" makes them\n' });
    expect((await app().admin('GET', '/apps/shop/workflows')).body.workflows).toEqual([]);
    expect(await cli(['apply', path], variables)).toEqual({ code: 0, stdout: changes, stderr: 'applied 4 changes\n' });
    expect(await cli(['apply', path], variables)).toEqual({ code: 0, stdout: '', stderr: 'nothing to change\n' });
    const locked = await fetch(`${app().url}/shop/locked`, { method: 'POST', headers: { authorization: 'Bearer from-the-environment' } });
    expect(locked.status).toBe(200);
    await locked.text();

    const exported = await cli(['export']);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect(exported.stdout).toContain('price: 1.0\n');
    expect(exported.stdout).toContain('id: 12345678901234567890\n');
    expect(exported.stdout).not.toContain('from-the-environment');
    const again = folder({ 'exported.yaml': exported.stdout });
    expect(await cli(['diff', again])).toEqual({ code: 0, stdout: '', stderr: 'nothing to change\n' });
    const asJson = folder({ 'exported.yaml': (await cli(['export', '-o', 'json'])).stdout });
    expect(await cli(['diff', asJson])).toEqual({ code: 0, stdout: '', stderr: 'nothing to change\n' });
  });

  test('tell of updates and deletions, for people and for programs', async () => {
    await cli(['apply', folder({ 'a.yaml': WORKFLOW, 'b.yaml': SINKS })], { HOOK_TOKEN: 'a' });
    const path = folder({
      'a.yaml': 'apps: [{ id: shop, name: Store }]\nsinks: [{ app_id: shop, path: /locked, method: POST, public: true }]\n',
    });
    expect(await cli(['diff', path])).toEqual({
      code: 0,
      stdout: '~ app shop\n- sink shop POST /price\n~ sink shop POST /locked\n- workflow shop/price\n',
      stderr: '4 changes; "sluice apply" makes them\n',
    });
    const { stdout, stderr } = await cli(['apply', path, '-o', 'json']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).changes).toContainEqual({ action: 'delete', kind: 'workflow', name: 'shop/price' });
  });

  test('do not open a sink whose token the file has lost: they say so, and what would', async () => {
    await cli(['apply', folder({ 'a.yaml': WORKFLOW, 'b.yaml': SINKS })], { HOOK_TOKEN: 'a' });
    const path = folder({
      'a.yaml': 'apps: [{ id: shop, name: Shop }]\n',
      'b.yaml': 'sinks: [{ app_id: shop, path: /locked, method: POST }]\n',
    });
    for (const verb of ['diff', 'apply']) {
      const { code, stdout, stderr } = await cli([verb, path]);
      expect({ code, stdout }, verb).toEqual({ code: 1, stdout: '' });
      expect(stderr.replaceAll(path, 'config')).toMatch(
        /^sluice: config\/b\.yaml:1: sinks\[0\]: POST \/locked of app "shop" requires a token on the server, .*"public: true" to let anyone trigger it\n$/,
      );
    }
    expect((await fetch(`${app().url}/shop/locked`, { method: 'POST' })).status).toBe(401);
  });

  test('tell the faults that the server finds with the files that they stem from, and change nothing', async () => {
    const path = folder({ 'a.yaml': SINKS, 'b.yaml': 'sinks:\n  - { app_id: shop, path: b, method: POST }\n' });
    for (const verb of ['diff', 'apply']) {
      const { code, stdout, stderr } = await cli([verb, path], { HOOK_TOKEN: 'a' });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.replaceAll(path, 'config')).toMatch(/^sluice: config\/b\.yaml:2: sinks\[0\]\.path: must start with "\/".*\n$/);
    }
    expect((await app().admin('GET', '/sinks?app_id=shop')).body.sinks).toEqual([]);
  });

  test('escape what a terminal would obey, and stay the same definitions', async () => {
    const name = 'bell \u0007, escape \u001b[2J, csi \u009b2J';
    await app().admin('PUT', '/apps/odd', { name });
    const { stdout } = await cli(['export']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(stdout).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
    const path = folder({ 'odd.yaml': stdout });
    await cli(['apply', path]);
    expect((await app().admin('GET', '/apps/odd')).body.name).toBe(name);
  });
});
