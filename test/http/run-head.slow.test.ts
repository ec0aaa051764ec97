// The head of a run: what there is to see of it, in a bounded answer, however large the run is.

import { beforeAll, describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';

const MAX_HEAD_BYTES = 262_144;
const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
const output = (name: string, selector: string): object => ({ type: 'JsonField', name, selector });
const set = (name: string, values: object): object => ({ type: 'sluice/set@v1', name, values });
const input = { type: 'WorkflowParameter', name: 'it' };

const app = shareApp({}, async (shared) => {
  await shared.workflow('copies', {
    steps: [set('one', { all: '$request.body' }), set('two', { all: '$steps.one.all' })],
    outputs: [output('all', '$steps.two.all')],
  });
  await shared.workflow('each', {
    steps: [
      {
        type: 'sluice/for_each@v1',
        name: 'each',
        items: '$request.body.list',
        max_items: 1000,
        workflow_definition: { version: '1.0', inputs: [input], steps: [set('s', { it: '$inputs.it' })], outputs: [] },
        parameter_bindings: { it: '$item' },
      },
    ],
  });
  await shared.workflow('fails', { steps: [{ type: 'sluice/fail@v1', name: 'f', message: '$request.body.message' }] });
  for (const id of ['copies', 'each', 'fails']) await shared.sink({ path: `/${id}`, workflow_id: id, response: 'wait' });
});

async function run(path: string, body: RequestInit['body'], type: string | null = 'application/json'): Promise<string> {
  const response = await fetch(`${app().url}/shop${path}`, {
    method: 'POST',
    headers: type === null ? {} : { 'content-type': type },
    body: body ?? null,
  });
  await response.arrayBuffer();
  return response.headers.get('x-run-id') as string;
}

async function headOf(runId: string): Promise<{ head: any; bytes: number }> {
  const response = await fetch(`${app().url}/api/v1/runs/${runId}?parts=head`, { headers });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return { head: JSON.parse(text), bytes: Buffer.byteLength(text) };
}

const NOTHING = { count: 0, next_cursor: null };

/** Follows the cursors of a list from the head on. */
async function restOf(path: string, field: string, cursor: number | null): Promise<any[]> {
  const rest: any[] = [];
  for (let next = cursor; next !== null; ) {
    const { status, body } = await app().admin('GET', `${path}?cursor=${next}`);
    expect(status, JSON.stringify(body)).toBe(200);
    rest.push(...body[field]);
    next = body.next_cursor;
  }
  return rest;
}

describe('the head', () => {
  test('is the whole document, with sizes in place of bodies and outputs', async () => {
    const runId = await run('/copies?a=1', '{"n":1.0}');
    const { body: whole } = await app().admin('GET', `/runs/${runId}`);
    const { head } = await headOf(runId);
    const { output: _output, steps, deliveries: _deliveries, request, ...rest } = whole;
    const { body: _body, ...described } = request;
    expect(head).toEqual({
      ...rest,
      workflow: { id: 'copies', version: 1, latest_version: 1 },
      output_size: '{"all":{"n":1.0}}'.length,
      steps: steps.map(({ outputs: _outputs, ...step }: any) => ({ ...step, output_size: '{"all":{"n":1.0}}'.length })),
      deliveries: [],
      request: { ...described, body_size: 9 },
      left_out: { steps: NOTHING, deliveries: NOTHING, files: NOTHING },
    });
  });

  test('of a run of 10 MB is at most 256 KiB', async () => {
    const runId = await run('/copies', JSON.stringify({ text: 'ü'.repeat(5_000_000) }));
    const { head, bytes } = await headOf(runId);
    expect(bytes).toBeLessThan(8192);
    expect(head).toMatchObject({ status: 'completed', output_size: 10_000_019, request: { body_size: 10_000_011 } });
    expect(head.steps.map(({ step, output_size: size }: any) => [step, size])).toEqual([
      ['one', 10_000_019],
      ['two', 10_000_019],
    ]);
  });

  test('cuts a long error', async () => {
    const runId = await run('/fails', JSON.stringify({ message: '\u0001'.repeat(1_000_000) }));
    const { head, bytes } = await headOf(runId);
    expect(bytes).toBeLessThan(16_384);
    expect(head.error).toEqual({ code: 'failed', message: '\u0001'.repeat(512), step: 'f' });
    expect(head.steps[0].error.message).toBe('\u0001'.repeat(512));
  });
});

describe('a list that does not fit', () => {
  let runId = '';
  beforeAll(async () => {
    runId = await run('/each', JSON.stringify({ list: Array.from({ length: 1000 }, (_, index) => index) }));
  });

  test('is left out from some step on, and goes on page by page without a gap or a repetition', async () => {
    const { body: whole } = await app().admin('GET', `/runs/${runId}`);
    const { head, bytes } = await headOf(runId);
    expect(bytes).toBeLessThanOrEqual(MAX_HEAD_BYTES);
    const { count, next_cursor: cursor } = head.left_out.steps;
    expect(count).toBe(whole.steps.length - head.steps.length);
    expect(count).toBeGreaterThan(0);
    const paged = [...head.steps, ...(await restOf(`/runs/${runId}/steps`, 'steps', cursor))];
    const named = (steps: any[]): string[] => steps.map(({ step, visit }) => `${step} ${visit}`);
    expect(named(paged)).toEqual(named(whole.steps));
  });

  test('is the same for files, whatever they are called', async () => {
    const form = new FormData();
    const names = Array.from({ length: 300 }, (_, index) => `${index}${'\u202e"<script>é'.repeat(15)}`);
    for (const name of names) form.append('f', new Blob(['x']), name);
    const withFiles = await run('/copies', form, null);
    const { head, bytes } = await headOf(withFiles);
    expect(bytes).toBeLessThanOrEqual(MAX_HEAD_BYTES);
    const { count, next_cursor: cursor } = head.left_out.files;
    expect(count).toBe(300 - head.request.files.length);
    const paged = [...head.request.files, ...(await restOf(`/runs/${withFiles}/files`, 'files', cursor))];
    expect(paged.map(({ index, filename }) => [index, filename])).toEqual(names.map((name, index) => [index, name]));
  });
});

describe('a wrong question', () => {
  test.each([
    ['?parts=body', 'parts'],
    ['?parts=', 'parts'],
    ['?parts=head&parts=head', 'parts'],
    ['?parts=__proto__', 'parts'],
    ['/steps?cursor=-1', 'cursor'],
    ['/steps?cursor=9007199254740993', 'cursor'],
    ['/steps?limit=0', 'limit'],
    ['/steps?limit=1e9', 'limit'],
    ['/files?cursor=1.5', 'cursor'],
    ['/files?offset=1', 'additional properties'],
  ])('%s is 400 that names it', async (query, reason) => {
    const { status, body } = await app().admin('GET', `/runs/run_00000000000rehearsal00000000000${query}`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'invalid', message: expect.stringContaining(reason) });
  });

  test('about a run that there is not is 404, and about what follows the last entry an empty page', async () => {
    const runId = await run('/copies', '{}');
    const stranger = `${runId.slice(0, -1)}${runId.endsWith('0') ? '1' : '0'}`;
    for (const id of [stranger, 'run_00000000000rehearsal00000000000', 'x', '__proto__'])
      for (const path of ['?parts=head', '/steps', '/files']) expect((await app().admin('GET', `/runs/${id}${path}`)).status).toBe(404);
    for (const field of ['steps', 'files'])
      expect((await app().admin('GET', `/runs/${runId}/${field}?cursor=${Number.MAX_SAFE_INTEGER}`)).body).toEqual({
        [field]: [],
        next_cursor: null,
      });
  });

  test('needs the admin token', async () => {
    for (const path of ['?parts=head', '/steps', '/files']) expect((await fetch(`${app().url}/api/v1/runs/x${path}`)).status).toBe(401);
  });
});
