// `sluice sink infer` and `sluice sample`: from what came to a sink to a schema, typed inputs, and a workflow tried dry on it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { adminOf, type CliOptions, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';

let sinkId = '';
let first = '';
const app = shareApp({}, async (shared) => {
  sinkId = (await shared.sink({ path: '/new', inputs: { who: '$request.body.name' } })).id;
  await shared.workflow('notify', NOTIFY);
  first = await send(shared.url, '{"name":"Ada","age":36}');
  await send(shared.url, '{"name":"Bob","age":41.5}');
});

const NOTIFY = {
  version: '1.0',
  inputs: [{ type: 'WorkflowParameter', name: 'who', kind: ['string'] }],
  steps: [{ type: 'sluice/http_request@v1', name: 'post', method: 'POST', url: 'http://192.0.2.1/hook', json: { hello: '$inputs.who' } }],
  outputs: [{ type: 'JsonField', name: 'who', selector: '$inputs.who' }],
};

async function send(url: string, body: string): Promise<string> {
  const response = await fetch(`${url}/shop/new`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await response.text();
  return response.headers.get('x-run-id') as string;
}

const run = (args: string[], options: CliOptions = {}): Promise<CliResult> => sluice(args, { environment: adminOf(app()), ...options });

describe('sink infer', () => {
  test('prints the schema, the inputs of the sink and those of the workflow, as YAML or JSON', async () => {
    const { code, stdout, stderr } = await run(['sink', 'infer', 'shop/new']);
    expect([code, stderr]).toEqual([0, 'made from 2 requests\n']);
    expect(parse(stdout)).toEqual({
      sink: {
        schema: {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          type: 'object',
          required: ['name', 'age'],
          properties: { name: { type: 'string' }, age: { type: 'number' } },
        },
        inputs: { name: '$request.body.name', age: '$request.body.age' },
      },
      workflow: {
        inputs: [
          { type: 'WorkflowParameter', name: 'name', kind: ['string'] },
          { type: 'WorkflowParameter', name: 'age', kind: ['float'] },
        ],
      },
    });
    const json = await run(['sink', 'infer', sinkId, '-o', 'json', '--limit', '1']);
    expect(JSON.parse(json.stdout)).toMatchObject({ sink: { schema: { type: 'object' } } });
  });

  test('keeps telling requests as samples, and sets the schema', async () => {
    const { stderr } = await run(['sink', 'infer', 'shop/new', '--save-samples', '--apply']);
    expect(stderr).toMatch(/kept run_\w+ as a sample\n/);
    expect(stderr).toContain('POST /shop/new now refuses bodies that do not fit this schema');
    const refused = await run(['send', 'shop/new', '--data', '{"name":5}']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('name: must be string, and is integer');
  });

  test('fails for a sink without requests, an unknown sink and a wrong limit', async () => {
    await app().sink({ path: '/empty' });
    expect(await run(['sink', 'infer', 'shop/empty'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('has no runs yet'),
    });
    expect(await run(['sink', 'infer', 'shop/none'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no sink is at /shop/none'),
    });
    expect(await run(['sink', 'infer', 'shop/new', '--limit', '501'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--limit'),
    });
  });
});

describe('sample', () => {
  test('saves, lists and deletes', async () => {
    expect((await run(['sample', 'save', first, '--name', 'usual'])).code).toBe(0);
    expect((await run(['sample', 'list', 'shop/new'])).stdout).toMatch(new RegExp(`${first} +usual +\\d+ +20`));
    expect(JSON.parse((await run(['sample', 'list', sinkId, '-o', 'json'])).stdout).samples).toContainEqual(
      expect.objectContaining({ name: 'usual' }),
    );
    expect((await run(['sample', 'delete', first])).stderr).toBe(`deleted the sample ${first}\n`);
    expect(await run(['sample', 'delete', first])).toMatchObject({ code: 1, stderr: expect.stringContaining('is no sample') });
    expect(await run(['sample', 'save', 'run_none'])).toMatchObject({ code: 1 });
  });

  test('runs a workflow of the server dry, and shows its messages and output', async () => {
    const { code, stdout, stderr } = await run(['sample', 'run', first, '--workflow', 'notify']);
    expect([code, JSON.parse(stdout)]).toEqual([0, { who: 'Ada' }]);
    expect(stderr).toContain('post would send:\n  POST http://192.0.2.1/hook\n');
    expect(stderr).toContain('{"hello":"Ada"}');
    const json = JSON.parse((await run(['sample', 'run', first, '--workflow', 'notify', '-o', 'json'])).stdout);
    expect(json).toMatchObject({ status: 'completed', output: { who: 'Ada' }, sends: [{ step: 'post', method: 'POST' }] });
  });

  test('runs a file that is not stored, and says what is wrong with it', async () => {
    const path = join(tempDir(), 'workflow.json');
    writeFileSync(path, JSON.stringify(NOTIFY));
    const { code, stdout, stderr } = await run(['sample', 'run', first, '--file', path]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { who: 'Ada' }]);
    expect(stderr).toContain('{"hello":"Ada"}');
    writeFileSync(path, JSON.stringify({ ...NOTIFY, steps: [{ type: 'no/such@v1', name: 'x' }] }));
    expect(await run(['sample', 'run', first, '--file', path])).toMatchObject({ code: 1, stderr: expect.stringContaining('no/such@v1') });
    expect(await run(['sample', 'run', first, '--file', path, '--workflow', 'notify'])).toMatchObject({ code: 2 });
  });

  test('that fails on a workflow says so', async () => {
    await app().workflow('failing', { steps: [{ type: 'sluice/fail@v1', name: 'no', message: 'this cannot be' }] });
    expect(await run(['sample', 'run', first, '--workflow', 'failing'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('this cannot be'),
    });
    expect(await run(['sample', 'run', first, '--workflow', 'none'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no workflow "none"'),
    });
  });
});
