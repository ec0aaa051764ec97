// The versions of a workflow over the API: list and read them, compare two, and make an earlier one current again.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();

const set = (n: number, name = 's') => ({ type: 'sluice/set@v1', name, values: { n } });
const inner = (id: string) => ({
  type: 'roboflow_core/inner_workflow@v1',
  name: 'in',
  workflow_workspace_id: 'local',
  workflow_id: id,
  parameter_bindings: {},
});
const at = (id: string) => `/apps/shop/workflows/${id}`;
const rollback = (id: string, body: unknown) => app().admin('POST', `${at(id)}/rollback`, body);

let count = 0;
/** A workflow with a version for each of these lists of steps. */
async function withVersions(...versions: object[][]): Promise<string> {
  count += 1;
  const id = `flow-${count}`;
  for (const steps of versions) await app().workflow(id, { steps });
  return id;
}

describe('the list of versions', () => {
  test('is newest first, says which one is current, and goes on by its cursor', async () => {
    const id = await withVersions([set(1)], [set(2)], [set(3)]);
    const first = (await app().admin('GET', `${at(id)}/versions?limit=2`)).body;
    expect(first).toEqual({
      versions: [
        { version: 3, created_at: expect.stringMatching(/^\d{4}-.*Z$/), is_current: true },
        { version: 2, created_at: expect.any(String), is_current: false },
      ],
      next_cursor: 2,
    });
    expect((await app().admin('GET', `${at(id)}/versions?limit=2&cursor=2`)).body).toMatchObject({
      versions: [{ version: 1 }],
      next_cursor: null,
    });
    expect((await app().admin('GET', `${at(id)}/versions?limit=3`)).body.next_cursor).toBeNull();
  });

  test('has those of a deleted workflow, none of them current', async () => {
    const id = await withVersions([set(1)], [set(2)]);
    await app().admin('DELETE', at(id));
    const { body } = await app().admin('GET', `${at(id)}/versions`);
    expect(body.versions).toMatchObject([
      { version: 2, is_current: false },
      { version: 1, is_current: false },
    ]);
  });

  test.each(['limit=0', 'limit=101', 'limit=x', 'cursor=0', 'cursor=-1', 'cursor=1.5', 'cursor=99999999999999999999', 'page=2'])(
    'refuses %s',
    async (query) => {
      const id = await withVersions([set(1)]);
      expect(await app().admin('GET', `${at(id)}/versions?${query}`)).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
    },
  );
});

test('a version is read with its definition; an unknown one, workflow or app is 404', async () => {
  const id = await withVersions([set(1)], [set(2)]);
  expect((await app().admin('GET', `${at(id)}/versions/1`)).body).toMatchObject({
    version: 1,
    is_current: false,
    definition: { steps: [set(1)] },
  });
  expect((await app().admin('GET', `${at(id)}/versions/2`)).body.is_current).toBe(true);
  const unknown = await app().admin('GET', `${at(id)}/versions/3`);
  expect([unknown.status, unknown.body.error.message]).toEqual([
    404,
    expect.stringContaining(`app "shop" has no version 3 of a workflow "${id}"`),
  ]);
  for (const path of [
    `${at('none')}/versions`,
    `${at('__proto__')}/versions`,
    '/apps/nobody/workflows/w/versions',
    `${at('none')}/diff?from=1`,
  ])
    expect((await app().admin('GET', path)).status, path).toBe(404);
  for (const version of ['0', 'latest', '1.5', '-1', '%00'])
    expect((await app().admin('GET', `${at(id)}/versions/${version}`)).status, version).toBe(400);
});

describe('the difference of two versions', () => {
  test('is by name and place, to the current version by default', async () => {
    const id = await withVersions([set(1), set(1, 'old')], [set(2), set(1, 'new')], [set(3), set(1, 'new')]);
    const none = { added: [], removed: [], changed: [], reordered: false };
    const found = (await app().admin('GET', `${at(id)}/diff?from=1`)).body;
    expect(found).toEqual({
      from: 1,
      to: 3,
      inputs: none,
      steps: { added: ['new'], removed: ['old'], changed: [{ name: 's', paths: ['/values/n'] }], reordered: false },
      outputs: none,
      used_workflows: none,
      others: [],
    });
    expect((await app().admin('GET', `${at(id)}/diff?from=3&to=2`)).body).toMatchObject({ from: 3, to: 2, steps: { added: [] } });
    expect((await app().admin('GET', `${at(id)}/diff?from=2&to=2`)).body.steps).toEqual(none);
  });

  test('shows that a copy of a used workflow is another one', async () => {
    const used = await withVersions([set(1)]);
    const id = await withVersions([inner(used)]);
    await app().workflow(used, { steps: [set(2)] });
    expect(await app().workflow(id, { steps: [inner(used)] })).toMatchObject({ version: 2 });
    const { used_workflows: copies, steps } = (await app().admin('GET', `${at(id)}/diff?from=1`)).body;
    expect([copies.changed, steps.changed]).toEqual([[{ name: used, paths: ['/steps/0/values/n'] }], []]);
  });

  test.each(['', '?from=0', '?from=x', '?to=1', '?from=1&to=null', '?from=1&from=2', '?from=1&side=left'])('refuses %j', async (query) => {
    const id = await withVersions([set(1)]);
    expect((await app().admin('GET', `${at(id)}/diff${query}`)).status).toBe(400);
  });
});

describe('a rollback', () => {
  test('is a new version with the old definition, which new runs use', async () => {
    const id = await withVersions([set(1)], [set(2)]);
    const sink = await app().sink({ path: `/${id}`, workflow_id: id, response: 'wait' });
    expect(await rollback(id, { version: 1 })).toMatchObject({ status: 200, body: { version: 3, rolled_back_to: 1, changed: true } });
    expect((await app().admin('GET', at(id))).body).toMatchObject({ version: 3, definition: { steps: [set(1)] } });
    const { run_id: runId } = (await (await fetch(sink.url, { method: 'POST' })).json()) as { run_id: string };
    expect((await app().admin('GET', `/runs/${runId}`)).body).toMatchObject({ workflow_version: 3, steps: [{ outputs: { n: 1 } }] });
  });

  test('to the current definition changes nothing, and says so', async () => {
    const id = await withVersions([set(1)], [set(2)]);
    for (let time = 0; time < 2; time += 1) {
      expect((await rollback(id, { version: 2 })).body).toMatchObject({ version: 2, changed: false });
    }
    await rollback(id, { version: 1 });
    expect((await rollback(id, { version: 1 })).body).toMatchObject({ version: 3, changed: false });
    expect((await app().admin('GET', `${at(id)}/versions`)).body.versions).toHaveLength(3);
  });

  test('brings a deleted workflow back', async () => {
    const id = await withVersions([set(1)]);
    await app().admin('DELETE', at(id));
    expect((await rollback(id, { version: 1 })).body).toMatchObject({ version: 2, changed: true });
    expect((await app().admin('GET', at(id))).body.definition.steps).toEqual([set(1)]);
  });

  test('keeps the copies of used workflows that the version had', async () => {
    const used = await withVersions([set(1)]);
    const id = await withVersions([inner(used)], [set(5)]);
    await app().workflow(used, { steps: [set(2)] });
    await rollback(id, { version: 1 });
    const { used_workflows: copies, steps } = (await app().admin('GET', `${at(id)}/diff?from=1`)).body;
    expect([copies.changed, steps.changed]).toEqual([[], []]);
  });

  test('is refused where a used workflow is gone or uses this one now, so that an export can be applied', async () => {
    const used = await withVersions([set(1)]);
    const id = await withVersions([inner(used)], [set(5)]);
    await app().workflow(used, { steps: [inner(id)] });
    const cycle = await rollback(id, { version: 1 });
    expect([cycle.status, cycle.body.error.message]).toEqual([409, expect.stringContaining('contains a cycle')]);
    await app().admin('DELETE', at(used));
    const gone = await rollback(id, { version: 1 });
    expect([gone.status, gone.body.error.faults]).toEqual([
      409,
      [{ path: 'steps[0].workflow_id', message: `app "shop" has no workflow "${used}"` }],
    ]);
    expect((await app().admin('GET', at(id))).body.version).toBe(2);
  });

  test('keeps numbers digit for digit', async () => {
    const exact =
      '{"version":"1.0","inputs":[],"steps":[{"type":"sluice/set@v1","name":"s","values":{"n":1.0,"id":12345678901234567890}}],"outputs":[]}';
    await app().admin('PUT', at('exact'), exact);
    await app().workflow('exact', { steps: [set(1)] });
    await rollback('exact', { version: 1 });
    const found = (await app().admin('GET', `${at('exact')}/diff?from=1&to=3`)).body;
    expect(found.steps.changed).toEqual([]);
  });

  test('of an unknown version, workflow or app is 404 and says what there is not', async () => {
    const id = await withVersions([set(1)]);
    const { status, body } = await rollback(id, { version: 9 });
    expect([status, body.error.message]).toEqual([404, expect.stringContaining(`app "shop" has no version 9 of a workflow "${id}"`)]);
    expect((await rollback('none', { version: 1 })).status).toBe(404);
    expect((await app().admin('POST', '/apps/nobody/workflows/w/rollback', { version: 1 })).status).toBe(404);
  });

  test.each<[unknown, string]>([
    [undefined, 'field "version" is missing'],
    [null, 'field "version" is missing'],
    [[], 'must be object'],
    ['1', 'must be object'],
    [{}, 'field "version" is missing'],
    [{ version: '1' }, 'version: must be integer'],
    [{ version: 0 }, 'version: must be >= 1'],
    [{ version: 1.5 }, 'version: must be integer'],
    [{ version: null }, 'version: must be integer'],
    [{ version: 1e300 }, 'version: must be'],
    [{ version: 1, note: 'x' }, 'unknown field "note"'],
    ['{"version":1,"__proto__":{}}', '__proto__'],
    ['{"version":1,"version":2}', 'appears twice'],
  ])('with the body %j is 400', async (body, message) => {
    const id = await withVersions([set(1)]);
    const answer = await rollback(id, body === '1' ? '"1"' : body);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(message)]);
  });

  test('of a workflow that the files own is 409', async () => {
    const folder = tempDir();
    mkdirSync(join(folder, 'config'));
    const file = join(folder, 'config', 'all.yaml');
    writeFileSync(file, `workflows: [{ app_id: filed, id: w, definition: { version: "1.0", inputs: [], steps: [], outputs: [] } }]\n`);
    const filed = await startTestApp({ configPath: join(folder, 'config') });
    const { status, body } = await filed.admin('POST', '/apps/filed/workflows/w/rollback', { version: 1 });
    expect([status, body.error.message]).toEqual([409, 'workflow "w" is defined in the configuration files; change it there']);
    expect((await filed.admin('GET', '/apps/filed/workflows/w/versions')).body.versions).toHaveLength(1);
  });
});
