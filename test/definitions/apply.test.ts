// All definitions as one document: exported, compared, and applied whole or not at all.

import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';

const app = shareApp();

const WORKFLOW = {
  version: '1.0',
  inputs: [{ type: 'WorkflowParameter', name: 'n', default_value: null }],
  steps: [{ type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n' } }],
  outputs: [{ type: 'JsonField', name: 'n', selector: '$steps.s.n' }],
};

async function apply(to: TestApp, document: unknown): Promise<string[]> {
  const { status, body } = await to.admin('POST', '/definitions/apply', document);
  if (status !== 200) throw new Error(`${status}: ${body.error.message}`);
  return body.changes.map(({ action, kind, name }: any) => `${action} ${kind} ${name}`);
}

async function exported(from: TestApp): Promise<any> {
  return (await from.admin('GET', '/definitions')).body;
}

describe('an export', () => {
  test('applied on a fresh server makes the same sinks, and the same tokens open them', async () => {
    const source = await startTestApp();
    await source.admin('PUT', '/apps/shop', { name: 'The shop' });
    const definition = JSON.stringify(WORKFLOW).replace('"$inputs.n"', '[1.0,12345678901234567890]');
    await source.admin('PUT', '/apps/shop/workflows/exact', definition);
    await source.workflow('echo', WORKFLOW);
    await source.sink({ path: '/open', method: 'ANY', workflow_id: 'exact', response: 'wait' });
    await source.sink({
      path: '/guarded/:id',
      workflow_id: 'echo',
      auth: { type: 'bearer', tokens: ['tok-a', 'tok-b'] },
      limits: { files: 3 },
    });
    await source.sink({
      path: '/mapped',
      workflow_id: 'echo',
      inputs: { n: '$request.query.q' },
      response: { mode: 'custom', status: 201, headers: { 'X-A': 'b' }, body: { n: '$output.n' } },
    });
    const when = [{ '$request.query.q': ['a', null] }, { '$request.body.n': 1.5 }];
    await source.sink({
      path: '/several',
      workflows: [
        { workflow_id: 'echo', when },
        { workflow_id: 'exact', when: 'otherwise' },
      ],
    });
    await source.sink({ path: '/accept', response: { mode: 'accept', status: 200 } }, 'other');
    await source.sink({ path: '/redirect', response: { mode: 'redirect', location: 'https://example.org/x' }, payload: 'v7' }, 'other');

    const answer = await fetch(`${source.url}/api/v1/definitions`, { headers: { authorization: 'Bearer admin-token-of-the-tests' } });
    const text = await answer.text();
    expect(text).toContain('[1.0,12345678901234567890]');
    expect(text).not.toContain('tok-a');

    const target = await startTestApp();
    expect(await apply(target, text)).toHaveLength(10);
    expect(await exported(target)).toEqual(JSON.parse(text));
    expect(await apply(target, text)).toEqual([]);

    expect(await (await fetch(`${target.url}/shop/open`)).text()).toContain('"output":{"n":[1.0,12345678901234567890]}');
    for (const [token, status] of [
      ['tok-a', 200],
      ['tok-b', 200],
      ['tok-c', 401],
    ] as const)
      expect((await fetch(`${target.url}/shop/guarded/7`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).status).toBe(
        status,
      );
    const mapped = await fetch(`${target.url}/shop/mapped?q=5`, { method: 'POST' });
    expect([mapped.status, mapped.headers.get('x-a'), await mapped.json()]).toEqual([201, 'b', { n: '5' }]);
    expect((await target.admin('GET', '/apps/shop')).body.name).toBe('The shop');
  });
});

describe('applying', () => {
  const sink = (path: string, more: object = {}): object => ({ app_id: 'crew', path, method: 'POST', ...more });

  test('tells what it changes, owns what it made, and leaves alone what the API made', async () => {
    const teamSink = (path: string, more: object = {}): object => sink(path, { app_id: 'team', ...more });
    await apply(app(), {});
    await app().sink({ path: '/by-hand' }, 'team');
    const first = {
      apps: [{ id: 'team', name: 'Crew' }],
      workflows: [{ app_id: 'team', id: 'w', definition: WORKFLOW }],
      sinks: [teamSink('/a', { workflow_id: 'w' }), teamSink('/b')],
    };
    expect((await app().admin('POST', '/definitions/diff', first)).body.changes).toHaveLength(4);
    expect(await apply(app(), first)).toEqual([
      'update app team',
      'create workflow team/w',
      'create sink team POST /a',
      'create sink team POST /b',
    ]);
    expect(await apply(app(), first)).toEqual([]);
    const changed = { ...WORKFLOW, version: '1.1' };
    const second = {
      apps: [{ id: 'team' }],
      workflows: [{ app_id: 'team', id: 'w', definition: changed }],
      sinks: [teamSink('/a', { workflow_id: 'w', response: 'wait' }), teamSink('/c/:id')],
    };
    const expected = [
      'update app team',
      'delete sink team POST /b',
      'update workflow team/w',
      'update sink team POST /a',
      'create sink team POST /c/:id',
    ];
    expect(
      (await app().admin('POST', '/definitions/diff', second)).body.changes.map(
        ({ action, kind, name }: any) => `${action} ${kind} ${name}`,
      ),
    ).toEqual(expected);
    expect(await apply(app(), second)).toEqual(expected);
    expect(await apply(app(), { sinks: [teamSink('/c/:other')] })).toEqual([
      'delete sink team POST /a',
      'update sink team POST /c/:other',
      'delete workflow team/w',
    ]);
    const left = (await exported(app())).sinks.filter(({ app_id: owner }: any) => owner === 'team');
    expect(left.map(({ path }: any) => path)).toEqual(['/by-hand', '/c/:other']);
  });

  test('keeps the id of a sink that it changes, and with it its runs', async () => {
    await apply(app(), { sinks: [sink('/kept')] });
    const { id } = (await app().admin('GET', '/sinks?app_id=crew')).body.sinks.find(({ path }: any) => path === '/kept');
    await (await fetch(`${app().url}/crew/kept`, { method: 'POST' })).text();
    await apply(app(), { sinks: [sink('/kept', { response: 'wait' })] });
    expect((await app().admin('GET', `/runs?sink_id=${id}`)).body.runs).toHaveLength(1);
  });

  test('takes over a sink that the API made, when the document defines it', async () => {
    const made = await app().sink({ path: '/adopted' }, 'crew');
    expect(await apply(app(), { sinks: [sink('/adopted')] })).toContain('update sink crew POST /adopted');
    const { body } = await app().admin('GET', `/apps/crew/sinks/${made.id}`);
    expect(body).toMatchObject({ id: made.id, managed_by: 'config' });
    expect((await app().admin('DELETE', `/apps/crew/sinks/${made.id}`)).status).toBe(409);
  });

  test('is all or nothing: one fault anywhere, and nothing has changed', async () => {
    const before = await exported(app());
    const good = { workflows: [{ app_id: 'crew', id: 'new', definition: WORKFLOW }], sinks: [sink('/good', { workflow_id: 'new' })] };
    const documents: [object, string][] = [
      [{ ...good, sinks: [...good.sinks, sink('no-slash')] }, 'sinks[1].path: must start with "/"'],
      [{ ...good, sinks: [...good.sinks, sink('/bad', { workflow_id: 'nowhere' })] }, 'no workflow "nowhere"'],
      [
        { ...good, sinks: [...good.sinks, sink('/bad', { workflows: [{ workflow_id: 'new' }, { workflow_id: 'nww' }] })] },
        'sinks[1].workflows[1].workflow_id: app "crew" has no workflow "nww"; did you mean "new"?',
      ],
      [
        { ...good, workflows: [...good.workflows, { app_id: 'crew', id: 'w2', definition: { ...WORKFLOW, steps: [] } }] },
        'workflows[1].definition.outputs[0].selector',
      ],
    ];
    for (const [document, reason] of documents) {
      const { status, body } = await app().admin('POST', '/definitions/apply', document);
      expect(status).toBe(400);
      expect(body.error.message).toContain(reason);
      expect(await exported(app())).toEqual(before);
    }
    expect((await fetch(`${app().url}/crew/good`, { method: 'POST' })).status).toBe(404);
  });

  test('the same document twice at the same time makes it once, and is no clash', async () => {
    const document = { sinks: [sink('/twice'), sink('/thrice')] };
    const answers = await Promise.all([1, 2, 3].map(() => app().admin('POST', '/definitions/apply', document)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.filter(({ body }) => body.changes.length > 0)).toHaveLength(1);
  });

  const refused: [string, object, string][] = [
    ['an unknown list', { sink: [] }, ': unknown field "sink"; did you mean "sinks"? Known are apps, workflows, sinks'],
    ['a list that is none', { sinks: {} }, 'sinks: must be array'],
    ['an app without an id', { apps: [{ name: 'x' }] }, 'apps[0]: field "id" is missing'],
    ['an app with a reserved id', { apps: [{ id: 'api' }] }, 'apps[0].id: "api" is reserved'],
    ['an app twice', { apps: [{ id: 'a' }, { id: 'a' }] }, 'apps[1]: "a" is already defined at apps[0]'],
    [
      'a workflow twice',
      { workflows: [1, 2].map(() => ({ app_id: 'a', id: 'w', definition: WORKFLOW })) },
      'workflows[1]: "a/w" is already defined at workflows[0]',
    ],
    [
      'a sink twice under other names',
      { sinks: [sink('/x/:a'), sink('/x/:b/')] },
      'sinks[1]: "crew POST /x/:" is already defined at sinks[0]',
    ],
    ['a sink without an app', { sinks: [{ path: '/x', method: 'POST' }] }, 'sinks[0]: field "app_id" is missing'],
    ['a sink with an unknown field', { sinks: [sink('/x', { workflow: 'w' })] }, 'sinks[0]: unknown field "workflow"'],
    [
      'a workflow with an unknown step',
      { workflows: [{ app_id: 'a', id: 'w', definition: { ...WORKFLOW, steps: [{ type: 'x', name: 's' }] } }] },
      'workflows[0].definition.steps[0].type: "x" is not a step type',
    ],
    [
      'a workflow with an id that is none',
      { workflows: [{ app_id: 'a', id: 'a/b', definition: WORKFLOW }] },
      'workflows[0].id: must be 1 to 64',
    ],
  ];
  for (const [what, document, expected] of refused) {
    test(`${what} is refused with its place: ${expected}`, async () => {
      for (const path of ['/definitions/diff', '/definitions/apply']) {
        const { status, body } = await app().admin('POST', path, document);
        expect(status).toBe(400);
        expect(body.error.faults.map(({ path: place, message }: any) => `${place}: ${message}`).join('\n')).toContain(expected);
      }
    });
  }
});
