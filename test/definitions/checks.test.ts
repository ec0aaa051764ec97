// Checks as somebody types: always 200, with each fault's place in the document as a JSON Pointer.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();
const workflow = (more: object = {}): object => ({ version: '1.0', inputs: [], steps: [], outputs: [], ...more });

async function check(path: string, body: unknown): Promise<{ valid: boolean; faults: any[] }> {
  const answer = await app().admin('POST', path, body);
  expect(answer.status).toBe(200);
  return answer.body;
}

const JSON_VALUES: unknown[] = [
  undefined,
  null,
  1,
  true,
  '"text"',
  [],
  [[]],
  {},
  { a: { b: [] } },
  '{"a":1e400}',
  '{"a":12345678901234567890}',
];

describe('the check of a workflow', () => {
  const checked = (body: unknown, query = '') => check(`/workflows/check${query}`, body);

  test('passes what saving would accept', async () => {
    const steps = [{ type: 'sluice/set@v1', name: 's', values: { n: 1 } }];
    expect(await checked(workflow({ steps }))).toEqual({ valid: true, faults: [] });
  });

  test('gives the place of each fault, and lists of names as hints', async () => {
    const steps = [
      { type: 'sluice/sett@v1', name: 'a' },
      { type: 'sluice/set@v1', name: 'b', values: { x: '$steps.none.z' } },
      { type: 'sluice/set@v1', name: 'c', values: {}, extra: 1 },
    ];
    const { valid, faults } = await checked(workflow({ steps, outputs: [{ type: 'JsonField', name: 'o', selector: '$steps.b.q' }] }));
    expect(valid).toBe(false);
    expect(faults).toEqual([
      {
        path: 'steps[0].type',
        pointer: '/steps/0/type',
        message: '"sluice/sett@v1" is not a step type',
        hint: expect.stringContaining('did you mean "sluice/set@v1"? Known are '),
      },
      {
        path: 'steps[1].values',
        pointer: '/steps/1/values',
        message: "Workflow references '$steps.none.z' which points to a non-existent block",
        hint: 'known are a, b, c',
      },
      {
        path: 'steps[2]',
        pointer: '/steps/2/extra',
        message: 'unknown field "extra"',
        hint: expect.stringContaining('nown are '),
      },
      {
        path: 'outputs[0].selector',
        pointer: '/outputs/0/selector',
        message: 'Found reference to non-existing property `q` of step `b`',
        hint: 'known are x',
      },
    ]);
  });

  test('finds the same faults as a refused save', async () => {
    const body = workflow({ steps: [{ type: 'sluice/set@v1', name: 's', values: '$inputs.x' }], outputs: [{}] });
    const saved = await app().admin('PUT', '/apps/shop/workflows/refused', body);
    const { faults } = await checked(body);
    expect(faults.map(({ path }) => path)).toEqual(saved.body.error.faults.map((fault: { path: string }) => fault.path));
  });

  test('looks up what it uses in an app, and whether that uses it', async () => {
    const inner = (id: string) => ({
      type: 'roboflow_core/inner_workflow@v1',
      name: 'in',
      workflow_workspace_id: 'local',
      workflow_id: id,
      parameter_bindings: {},
    });
    await app().workflow('below', { steps: [{ type: 'sluice/set@v1', name: 's', values: {} }] });
    await app().workflow('above', { steps: [inner('below')] });
    const using = workflow({ steps: [inner('above')] });
    expect((await checked(using)).valid).toBe(true);
    expect((await checked(using, '?app_id=shop')).valid).toBe(true);
    expect((await checked(using, '?app_id=shop&workflow_id=below')).faults).toMatchObject([
      { pointer: '/steps/0/workflow_id', message: expect.stringContaining('cycle') },
    ]);
    expect((await checked(using, '?app_id=nobody')).faults).toMatchObject([{ pointer: '/steps/0/workflow_id' }]);
  });

  test.each(JSON_VALUES)('answers %j with faults', async (body) => {
    const { valid, faults } = await checked(body);
    expect(valid).toBe(false);
    for (const fault of faults)
      expect(fault).toMatchObject({ path: expect.any(String), pointer: expect.any(String), message: expect.any(String) });
  });

  test('bounds the number and the length of faults', async () => {
    const steps = Array.from({ length: 500 }, (_, index) => ({ type: 'x'.repeat(5000), name: `s${index}` }));
    const { faults } = await checked(workflow({ steps }));
    expect(faults.length).toBe(101);
    expect(faults.at(-1).message).toContain('more faults are not shown');
    expect(JSON.stringify(faults).length).toBeLessThan(500_000);
  });

  test('is 400 only for what is no JSON, and for a parameter that it does not know', async () => {
    expect((await app().admin('POST', '/workflows/check', '{')).status).toBe(400);
    expect((await app().admin('POST', '/workflows/check', '{"a":1,"a":2}')).status).toBe(400);
    expect((await app().admin('POST', '/workflows/check?app=shop', workflow())).status).toBe(400);
  });
});

describe('the check of a sink', () => {
  const checked = (body: unknown, query = '', appId = 'shop') => check(`/apps/${appId}/sinks/check${query}`, body);

  test('passes what would be created, and creates nothing', async () => {
    const sink = { path: '/fresh', method: 'post', auth: { type: 'github', secrets: ['s3cret'] } };
    expect(await checked(sink)).toEqual({ valid: true, faults: [] });
    expect(await checked(sink, '', 'another-app')).toEqual({ valid: true, faults: [] });
    const { sinks } = (await app().admin('GET', '/sinks')).body;
    expect(sinks.filter(({ path }: { path: string }) => path === '/fresh')).toEqual([]);
    expect((await app().admin('GET', '/apps/another-app')).status).toBe(404);
  });

  test('names the clash with another sink, whatever else is wrong', async () => {
    const { id } = await app().sink({ path: '/taken/:id' });
    const clash = {
      path: 'path',
      pointer: '/path',
      message: `POST /taken/:other/ clashes with sink ${id} (POST /taken/:id) of app "shop"`,
    };
    expect((await checked({ path: '/taken/:other/', method: 'POST' })).faults).toEqual([clash]);
    expect((await checked({ path: '/taken/:other/', method: 'post', auth: 3 })).faults).toContainEqual(clash);
    for (const sink of [
      { path: '/taken/:id', method: 'GET' },
      { path: '/taken/:id/x', method: 'POST' },
    ])
      expect((await checked(sink)).valid).toBe(true);
    expect((await checked({ path: '/taken/:id', method: 'POST' }, '', 'elsewhere')).valid).toBe(true);
    expect((await app().admin('POST', '/apps/shop/sinks', { path: '/taken/:x', method: 'POST' })).status).toBe(409);
  });

  test('of one that is edited keeps its credentials, and does not clash with itself', async () => {
    const sink = await app().sink({ path: '/edited', auth_token: 'first-token' });
    const shown = (await app().admin('GET', `/apps/shop/sinks/${sink.id}`)).body;
    expect(await checked(shown, `?sink_id=${sink.id}`)).toEqual({ valid: true, faults: [] });
    expect((await checked({ ...shown, url: 'x', public: true }, `?sink_id=${sink.id}`)).faults).toMatchObject([
      { pointer: '/url' },
      { pointer: '/public' },
    ]);
    await app().sink({ path: '/edited-too' });
    expect((await checked({ ...shown, path: '/edited-too' }, `?sink_id=${sink.id}`)).faults).toMatchObject([{ pointer: '/path' }]);
    for (const query of [`?sink_id=snk_0000000000000000`, '?sink_id=', '?sink_id=__proto__'])
      expect((await app().admin('POST', `/apps/shop/sinks/check${query}`, shown)).status).toBe(404);
    expect((await app().admin('POST', `/apps/elsewhere/sinks/check?sink_id=${sink.id}`, shown)).status).toBe(404);
  });

  test.each<[object, string, string]>([
    [{ workflow_id: 'nope' }, '/workflow_id', 'app "shop" has no workflow "nope"'],
    [{ workflows: [{ workflow_id: 'nope' }] }, '/workflows/0/workflow_id', 'app "shop" has no workflow "nope"'],
    [{ tokn: 1 }, '/tokn', 'unknown field "tokn"'],
    [{ limits: { files: -1 } }, '/limits/files', 'must be >= 0'],
    [{ inputs: { 'a.b/c': '$nope' } }, '/inputs/a.b~1c', ''],
    [{ path: 'no-slash' }, '/path', 'must start with "/"'],
    [{ response: { mode: 'custom', headers: { 'Set-Cookie': 'a=b' } } }, '/response/headers/Set-Cookie', 'rules more than this answer'],
  ])('finds the place of %j', async (more, pointer, message) => {
    const { faults } = await checked({ path: '/placed', method: 'POST', ...more });
    expect(faults).toContainEqual(expect.objectContaining({ pointer, message: expect.stringContaining(message) }));
  });

  test.each(JSON_VALUES)('answers %j with faults', async (body) => {
    expect((await checked(body)).valid).toBe(false);
  });

  test('of a sink that the files own says so', async () => {
    const folder = join(tempDir(), 'config');
    mkdirSync(folder);
    writeFileSync(join(folder, 'all.yaml'), 'sinks: [{ app_id: filed, path: /in, method: POST, public: true }]\n');
    const filed = await startTestApp({ configPath: folder });
    const [sink] = (await filed.admin('GET', '/sinks')).body.sinks;
    const { body } = await filed.admin('POST', `/apps/filed/sinks/check?sink_id=${sink.id}`, sink);
    expect(body.faults).toEqual([
      { path: '', pointer: '', message: `sink "${sink.id}" is defined in the configuration files; change it there` },
    ]);
  });
});
