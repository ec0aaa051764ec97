// Workflows that use other workflows, definitions that are only checked, and step types as a list: through the API.

import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const app = shareApp();
const admin = (method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> => app().admin(method, path, body);

const workflow = (parts: object): any => ({ version: '1.0', inputs: [], steps: [], outputs: [], ...parts });
/** Gives `says`, and what it is. */
const saying = (says: unknown): any =>
  workflow({
    steps: [{ type: 'sluice/set@v1', name: 's', values: { says } }],
    outputs: [{ type: 'JsonField', name: 'says', selector: '$steps.s.says' }],
  });
const using = (id: string, more: object = {}): any =>
  workflow({
    steps: [
      {
        type: 'roboflow_core/inner_workflow@v1',
        name: 'in',
        workflow_workspace_id: 'local',
        workflow_id: id,
        parameter_bindings: {},
        ...more,
      },
    ],
    outputs: [{ type: 'JsonField', name: 'says', selector: '$steps.in.says' }],
  });

async function save(appId: string, id: string, definition: object): Promise<number> {
  const { status, body } = await admin('PUT', `/apps/${appId}/workflows/${id}`, definition);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.version;
}

async function refusal(appId: string, id: string, definition: object): Promise<any[]> {
  const { status, body } = await admin('PUT', `/apps/${appId}/workflows/${id}`, definition);
  expect(status).toBe(400);
  return body.error.faults;
}

async function says(appId: string, path: string): Promise<unknown> {
  const response = await fetch(`${app().url}/${appId}${path}`, { method: 'POST', headers: { accept: 'application/json' } });
  return ((await response.json()) as any).output.says;
}

describe('a workflow that uses another one of its app', () => {
  test('keeps it as it was when it was saved, until it is saved again', async () => {
    await save('keep', 'child', saying('one'));
    expect(await save('keep', 'parent', using('child'))).toBe(1);
    await app().sink({ path: '/p', workflow_id: 'parent' }, 'keep');
    expect(await says('keep', '/p')).toBe('one');

    await save('keep', 'child', saying('two'));
    expect(await says('keep', '/p')).toBe('one');
    expect(await save('keep', 'parent', using('child'))).toBe(2);
    expect(await says('keep', '/p')).toBe('two');
    expect(await save('keep', 'parent', using('child'))).toBe(2);

    const refused = await admin('DELETE', '/apps/keep/workflows/child');
    expect(refused.status).toBe(409);
    expect(refused.body.error.message).toBe('workflow "child" of app "keep" is used by workflow "parent"; change that one first');
    await save('keep', 'parent', saying('alone'));
    expect((await admin('DELETE', '/apps/keep/workflows/child')).status).toBe(204);
  });

  test('is shown and exported as it was written', async () => {
    await save('shown', 'child', saying('x'));
    await save('shown', 'parent', { ...using('child'), pinned_workflows: { child: saying('smuggled in') } });
    expect((await admin('GET', '/apps/shown/workflows/parent')).body.definition).toEqual(using('child'));
    const exported = (await admin('GET', '/definitions')).body.workflows.find(
      ({ id, app_id: appId }: any) => appId === 'shown' && id === 'parent',
    );
    expect(exported.definition).toEqual(using('child'));
    await app().sink({ path: '/p', workflow_id: 'parent' }, 'shown');
    expect(await says('shown', '/p')).toBe('x');
  });

  test('may name a version, and its app by id', async () => {
    await save('version', 'child', saying(1.5));
    await save('version', 'child', saying('two'));
    for (const [version, expected] of [
      ['1', 1.5],
      [1, 1.5],
      [2, 'two'],
      [null, 'two'],
    ] as const) {
      await save('version', 'parent', using('child', { workflow_version_id: version, workflow_workspace_id: 'version' }));
      await app().sink({ path: `/${version}`, workflow_id: 'parent', method: typeof version === 'string' ? 'POST' : 'ANY' }, 'version');
      expect(await says('version', `/${version}`)).toBe(expected);
    }
  });

  test('reaches what that one uses, and inner definitions too', async () => {
    await save('chain', 'c', saying('deep'));
    await save('chain', 'b', using('c'));
    await save(
      'chain',
      'a',
      workflow({
        steps: [{ type: 'roboflow_core/inner_workflow@v1', name: 'in', workflow_definition: using('b'), parameter_bindings: {} }],
        outputs: [{ type: 'JsonField', name: 'says', selector: '$steps.in.says' }],
      }),
    );
    await app().sink({ path: '/a', workflow_id: 'a' }, 'chain');
    expect(await says('chain', '/a')).toBe('deep');
  });

  test('is refused with the place of a reference that leads nowhere', async () => {
    await save('nowhere', 'child', saying('x'));
    await save('elsewhere', 'other', saying('x'));
    expect(await refusal('nowhere', 'p', using('nope'))).toEqual([
      { path: 'steps[0].workflow_id', message: 'app "nowhere" has no workflow "nope"' },
    ]);
    expect(await refusal('nowhere', 'p', using('other'))).toEqual([
      { path: 'steps[0].workflow_id', message: 'app "nowhere" has no workflow "other"' },
    ]);
    expect(await refusal('nowhere', 'p', using('child', { workflow_version_id: 9 }))).toEqual([
      { path: 'steps[0].workflow_id', message: 'app "nowhere" has no workflow "child" of version 9' },
    ]);
    expect(await refusal('nowhere', 'p', using('child', { workflow_workspace_id: 'elsewhere' }))).toEqual([
      { path: 'steps[0].workflow_workspace_id', message: 'must be "local" or "nowhere": a workflow can only use workflows of its own app' },
    ]);
    for (const id of ['__proto__', 'constructor', '', '../child', 'a'.repeat(1000)])
      expect((await refusal('nowhere', 'p', using(id))).length).toBeGreaterThan(0);
    for (const version of ['newest', '-1', 0, 1.5, true, {}, [1], '99999999999999999999', 1e300])
      expect((await refusal('nowhere', 'p', using('child', { workflow_version_id: version }))).length, String(version)).toBeGreaterThan(0);
  });

  test('is refused when it does not fit what it uses', async () => {
    await save(
      'fit',
      'child',
      workflow({ inputs: [{ type: 'WorkflowParameter', name: 'who' }], steps: saying('$inputs.who').steps, outputs: saying('').outputs }),
    );
    expect((await refusal('fit', 'p', using('child')))[0].message).toContain(
      "missing parameter_bindings for required child workflow inputs ['who']",
    );
    const wrong = {
      ...using('child', { parameter_bindings: { who: 'me' } }),
      outputs: [{ type: 'JsonField', name: 'o', selector: '$steps.in.nope' }],
    };
    expect(await refusal('fit', 'p', wrong)).toEqual([
      { path: 'outputs[0].selector', message: 'Found reference to non-existing property `nope` of step `in`; known are says' },
    ]);
  });

  test('cannot use itself, by no way round', async () => {
    expect((await refusal('circle', 'a', using('a')))[0].message).toBe('Inner workflow composition graph contains a cycle: a uses a');
    await save('circle', 'a', saying('x'));
    await save('circle', 'b', using('a'));
    await save('circle', 'c', using('b'));
    expect((await refusal('circle', 'a', using('a')))[0].message).toContain('a uses a');
    expect((await refusal('circle', 'a', using('c')))[0].message).toBe(
      'Inner workflow composition graph contains a cycle: a uses c uses b uses a',
    );
    expect((await refusal('circle', 'a', using('a', { workflow_version_id: 1 })))[0].message).toContain('contains a cycle');
  });

  test('is refused beyond four levels', async () => {
    await save('levels', 'w0', saying('x'));
    for (let level = 1; level <= 4; level += 1) await save('levels', `w${level}`, using(`w${level - 1}`));
    expect((await refusal('levels', 'w5', using('w4')))[0].message).toBe(
      'Inner workflow nesting depth is 5, which exceeds the limit of 4.',
    );
  });

  test('is refused when all of it together is too large', async () => {
    await save('large', 'w0', saying('x'.repeat(1_500_000)));
    await save('large', 'w1', using('w0'));
    const twice = workflow({
      steps: [
        ...using('w0').steps,
        { ...using('w1').steps[0], name: 'in2' },
        { ...using('w1').steps[0], name: 'in3', workflow_version_id: 1 },
      ],
    });
    expect(await refusal('large', 'w2', twice)).toEqual([
      { path: 'steps', message: 'the workflow, including the workflows that it uses, is larger than 4 MiB' },
    ]);
  });
});

describe('definition files whose workflows use each other', () => {
  const document = (child: unknown): object => ({
    apps: [{ id: 'files' }],
    workflows: [
      { app_id: 'files', id: 'parent', definition: using('child') },
      { app_id: 'files', id: 'child', definition: saying(child) },
    ],
  });
  const changesOf = async (verb: string, body: object): Promise<string[]> =>
    (await admin('POST', `/definitions/${verb}`, body)).body.changes.map(({ action, name }: any) => `${action} ${name}`);

  test('are applied in any order, change nothing when nothing changed, and follow a change of what they use', async () => {
    expect(await changesOf('apply', document('one'))).toEqual(['create files', 'create files/parent', 'create files/child']);
    expect(await changesOf('diff', document('one'))).toEqual([]);
    expect(await changesOf('apply', (await admin('GET', '/definitions')).body)).not.toContain('update files/parent');
    await admin('POST', '/definitions/apply', document('one'));
    expect(await changesOf('apply', document('two'))).toEqual(['update files/parent', 'update files/child']);
    expect(await changesOf('diff', document('two'))).toEqual([]);
    await app().sink({ path: '/p', workflow_id: 'parent' }, 'files');
    expect(await says('files', '/p')).toBe('two');
  });

  test('cannot use what the same change deletes', async () => {
    await admin('POST', '/definitions/apply', document('one'));
    const alone = { workflows: [{ app_id: 'files', id: 'parent', definition: using('child') }] };
    for (const verb of ['diff', 'apply']) {
      const { status, body } = await admin('POST', `/definitions/${verb}`, alone);
      expect(status).toBe(400);
      expect(body.error.faults).toEqual([
        { path: 'workflows[0].definition.steps[0].workflow_id', message: 'app "files" has no workflow "child"' },
      ]);
    }
    await admin('POST', '/definitions/apply', {});
  });

  test('are refused whole, with the place, when they go round in a circle or lead nowhere', async () => {
    const circle = {
      workflows: [
        { app_id: 'round', id: 'a', definition: using('b') },
        { app_id: 'round', id: 'b', definition: using('a') },
        { app_id: 'round', id: 'c', definition: using('nope') },
      ],
    };
    const { status, body } = await admin('POST', '/definitions/apply', circle);
    expect(status).toBe(400);
    expect(body.error.faults).toEqual([
      {
        path: 'workflows[1].definition.steps[0].workflow_id',
        message: 'Inner workflow composition graph contains a cycle: a uses b uses a',
      },
      { path: 'workflows[2].definition.steps[0].workflow_id', message: 'app "round" has no workflow "nope"' },
    ]);
  });
});

describe('POST /api/v1/workflows/validate', () => {
  test('passes what can be saved, and saves nothing', async () => {
    expect(await admin('POST', '/workflows/validate', saying('x'))).toEqual({ status: 200, body: { status: 'ok' } });
    expect((await admin('GET', '/apps/validate/workflows')).body.workflows).toEqual([]);
  });

  test('tells the faults that saving would tell, as 422', async () => {
    const broken = workflow({
      steps: [{ type: 'sluice/sett@v1', name: 'a' }],
      outputs: [{ type: 'JsonField', name: 'o', selector: '$steps.b.x' }],
    });
    const saved = await admin('PUT', '/apps/validate/workflows/w', broken);
    const checked = await admin('POST', '/workflows/validate', broken);
    expect([saved.status, checked.status]).toEqual([400, 422]);
    expect(checked.body.error).toEqual({ ...saved.body.error, code: 'unprocessable' });
    expect(checked.body.error.faults.map(({ path }: any) => path)).toEqual(['steps[0].type', 'outputs[0].selector']);
  });

  test('looks up workflows that it uses in the app that is named', async () => {
    await save('lookup', 'child', saying('x'));
    expect((await admin('POST', '/workflows/validate?app_id=lookup', using('child'))).status).toBe(200);
    expect((await admin('POST', '/workflows/validate?app_id=lookup', using('nope'))).status).toBe(422);
    expect((await admin('POST', '/workflows/validate', using('nope'))).status).toBe(200);
    for (const appId of ['', 'no-such-app', '__proto__', '%00'])
      expect((await admin('POST', `/workflows/validate?app_id=${appId}`, using('child'))).status, appId).toBe(422);
  });

  test('answers any body with a 4xx, and none without the admin token', async () => {
    for (const body of [
      '',
      'null',
      '5',
      '[]',
      '{',
      '"x"',
      '{"steps":{}}',
      '{"version":"1.0","version":"1.0"}',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
    ]) {
      const { status } = await admin('POST', '/workflows/validate', body);
      expect([400, 422], body.slice(0, 40)).toContain(status);
    }
    for (const [method, path] of [
      ['POST', 'workflows/validate'],
      ['GET', 'step-types'],
    ] as const)
      expect((await fetch(`${app().url}/api/v1/${path}`, { method })).status).toBe(401);
  });
});

test('GET /api/v1/step-types lists each with the schema of its manifest, and the OpenAPI document has both routes', async () => {
  const { status, body } = await admin('GET', '/step-types');
  expect(status).toBe(200);
  expect(body.step_types).toContainEqual({
    type: 'sluice/delay@v1',
    aliases: [],
    summary: expect.stringContaining('Waits'),
    manifest: expect.objectContaining({ required: ['type', 'name', 'seconds'] }),
    outputs: ['seconds'],
  });
  const { paths } = (await admin('GET', '/openapi.json')).body;
  expect(paths['/api/v1/workflows/validate'].post.requestBody).toBeDefined();
  expect(paths['/api/v1/step-types'].get.tags).toEqual(['workflows']);
});
