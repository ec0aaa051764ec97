// The picture of a workflow: its steps, and why each follows another, as the engine plans it.

import { expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const app = shareApp();

const set = (name: string, more: object = {}) => ({ type: 'sluice/set@v1', name, values: {}, ...more });
let count = 0;
async function graphOf(...steps: object[]): Promise<any> {
  count += 1;
  await app().workflow(`drawn-${count}`, { steps });
  const { status, body } = await app().admin('GET', `/apps/shop/workflows/drawn-${count}/graph`);
  expect(status).toBe(200);
  return body;
}
const edgesOf = ({ edges }: any): string[] => edges.map((edge: any) => `${edge.from} ${edge.why}${edge.back ? ' back' : ''} ${edge.to}`);

test('data, transitions after success and failure, and loops are edges of their own', async () => {
  const graph = await graphOf(
    set('a', { values: { n: 1 } }),
    set('b', { values: { x: '$steps.a.n', y: ['$steps.a.n'] }, on_success: ['$steps.c'], on_failure: ['$steps.d', '$steps.a'] }),
    set('c', { values: { x: '$steps.b.x' } }),
    set('d', { on_success: ['$steps.d'] }),
  );
  expect(graph.version).toBe(1);
  expect(graph.nodes).toEqual(['a', 'b', 'c', 'd'].map((name) => ({ name, type: 'sluice/set@v1' })));
  expect(edgesOf(graph).sort()).toEqual(
    ['a data b', 'b data c', 'b success c', 'b failure d', 'b failure back a', 'd success back d'].sort(),
  );
});

test('the transitions of a type are "next"', async () => {
  const graph = await graphOf({ type: 'sluice/delay@v1', name: 'wait', seconds: 0, next_steps: ['$steps.after'] }, set('after'));
  expect(edgesOf(graph)).toEqual(['wait next after']);
});

test('a step that is chosen twice by one step has both edges', async () => {
  const graph = await graphOf(set('a', { on_success: ['$steps.b'], on_failure: ['$steps.b'] }), set('b'));
  expect(edgesOf(graph).sort()).toEqual(['a failure b', 'a success b']);
});

test('inner workflows are drawn as they run, and items inside their step', async () => {
  const definition = {
    version: '1.0',
    inputs: [{ type: 'WorkflowParameter', name: 'i' }],
    steps: [set('x', { values: { v: '$inputs.i' } }), set('y', { values: { v: '$steps.x.v' } })],
    outputs: [{ type: 'JsonField', name: 'o', selector: '$steps.y.v' }],
  };
  const graph = await graphOf(
    set('list', { values: { all: [1] } }),
    {
      type: 'sluice/for_each@v1',
      name: 'each',
      items: '$steps.list.all',
      parameter_bindings: { i: '$item' },
      workflow_definition: definition,
    },
    {
      type: 'roboflow_core/inner_workflow@v1',
      name: 'in',
      parameter_bindings: { i: '$steps.each.results' },
      workflow_definition: definition,
    },
  );
  expect(edgesOf(graph)).toEqual(['list data each', 'each data in__x', 'in__x data in__y']);
  const items = graph.nodes.find(({ name }: { name: string }) => name === 'each').items;
  expect(items.nodes.map(({ name }: { name: string }) => name)).toEqual(['each[].x', 'each[].y']);
  expect(edgesOf(items)).toEqual(['each[].x data each[].y']);
});

test('an earlier version has its own graph; an unknown one is 404', async () => {
  await app().workflow('redrawn', { steps: [set('one')] });
  await app().workflow('redrawn', { steps: [] });
  const get = (query: string, id = 'redrawn') => app().admin('GET', `/apps/shop/workflows/${id}/graph${query}`);
  expect((await get('')).body).toEqual({ version: 2, nodes: [], edges: [] });
  expect((await get('?version=1')).body).toMatchObject({ version: 1, nodes: [{ name: 'one' }] });
  for (const query of ['?version=3']) expect((await get(query)).status).toBe(404);
  expect((await get('', 'none')).status).toBe(404);
  for (const query of ['?version=0', '?version=x', '?version=', '?v=1', '?version=1&version=2'])
    expect((await get(query)).status, query).toBe(400);
});
