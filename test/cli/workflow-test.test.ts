// `sluice workflow test`: a definition is run here, and what it would send is shown and not sent.

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { type CliResult, sluice } from '../support/run-cli.ts';
import { tempDir } from '../support/temp-dir.ts';

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

const input = (name: string, type = 'WorkflowParameter') => ({ type, name });
const output = (name: string, selector: string) => ({ type: 'JsonField', name, selector });
const hook = (fields: object) => ({
  type: 'roboflow_core/webhook_sink@v1',
  name: 'hook',
  url: 'https://crm.example.org/leads',
  method: 'POST',
  fire_and_forget: false,
  ...fields,
});

/** Writes the definition into a file and tries it out. */
function tryOut(definition: object, args: string[] = [], environment: Record<string, string> = {}): Promise<CliResult> {
  const file = join(tempDir(), 'workflow.json');
  writeFileSync(file, JSON.stringify({ version: '1.0', inputs: [], outputs: [], ...definition }));
  return sluice(['workflow', 'test', file, ...args], { environment });
}

test('the output goes to standard output, and every step with what it would send to standard error', async () => {
  const steps = [hook({ json_payload: { name: '$inputs.name', price: '$inputs.price' }, query_parameters: { source: 'form' } })];
  const definition = { inputs: [input('name'), input('price')], steps, outputs: [output('status', '$steps.hook.status_code')] };
  const { code, stdout, stderr } = await tryOut(definition, ['--input', '{"name":"Ż","price":1.0}']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"status":200}\n' });
  expect(stderr).toContain('hook would send:\n  POST https://crm.example.org/leads?source=form\n  Content-Type: application/json\n');
  expect(stderr).toContain('  {"name": "\\u017b", "price": 1.0}\n');
});

test('as JSON it is one document for programs', async () => {
  const { stdout } = await tryOut({ steps: [hook({ fire_and_forget: true, form_data: { a: 'b c' } })] }, ['-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({
    status: 'completed',
    steps: [{ step: 'hook', status: 'completed', outputs: { message: 'Notification sent in the background task' } }],
    sends: [{ step: 'hook', awaited: false, method: 'POST', body: 'a=b+c' }],
  });
});

test('receivers answer what --answer says', async () => {
  const definition = { steps: [hook({})], outputs: [output('failed', '$steps.hook.error_status')] };
  expect((await tryOut(definition, ['--answer', '503'])).stdout).toBe('{"failed":true}\n');
});

test('nothing is sent', async () => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(() => void server.close());
  const { port } = server.address() as { port: number };
  expect((await tryOut({ steps: [hook({ url: `http://127.0.0.1:${port}/` })] })).code).toBe(0);
  expect(requests).toBe(0);
});

test('a wait is over at once', async () => {
  const steps = [{ type: 'sluice/delay@v1', name: 'pause', seconds: 86_400 }];
  const { stdout } = await tryOut({ steps, outputs: [output('seconds', '$steps.pause.seconds')] });
  expect(stdout).toBe('{"seconds":86400}\n');
});

test('files are given by name, and operations see them as images', async () => {
  const path = join(tempDir(), 'pixel.png');
  writeFileSync(path, PIXEL);
  const steps = [
    hook({
      multi_part_encoded_files: { image: '$inputs.image' },
      multi_part_encoded_files_operations: { image: [{ type: 'ConvertImageToJPEG' }] },
    }),
  ];
  const { code, stderr } = await tryOut({ inputs: [input('image', 'WorkflowImage')], steps }, ['--file', `image=@${path}`]);
  expect(code).toBe(0);
  expect(stderr).toContain('Content-Disposition: form-data; name="image"; filename="image"');
});

test('secrets are used and never shown', async () => {
  const steps = [
    { type: 'roboflow_core/environment_secrets_store@v1', name: 'secrets', variables_storing_secrets: ['CRM_TOKEN'] },
    hook({ headers: { Authorization: '$steps.secrets.crm_token' } }),
  ];
  const definition = { steps, outputs: [output('token', '$steps.secrets.crm_token')] };
  for (const format of ['text', 'json']) {
    const { code, stdout, stderr } = await tryOut(definition, ['-o', format], { CRM_TOKEN: 'hush-hush-token' });
    expect(code).toBe(0);
    expect(stdout + stderr).toContain('********');
    expect(stdout + stderr).not.toMatch(/hush-hush-token|sluice-secret/);
  }
});

test.each([
  ['a definition with faults', { steps: [hook({ method: 'PATCH' })] }, [], 1, 'steps[0].method: must be one of "GET", "POST", "PUT"'],
  ['a body that is no JSON', { steps: [] }, ['--input', '{'], 2, '--input is not JSON'],
  ['a file that is not there', { steps: [] }, ['--file', 'a=@/nowhere/at/all'], 1, 'cannot be read (ENOENT)'],
  ['a file without a name', { steps: [] }, ['--file', '@x'], 2, 'write it as name=@path'],
  ['a status that is none', { steps: [] }, ['--answer', '99'], 2, '--answer must be an HTTP status'],
  ['a missing input', { inputs: [input('x')], steps: [] }, [], 1, 'input "x" is missing'],
])('%s is refused by name', async (_what, definition, args, code, message) => {
  const result = await tryOut(definition, args);
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(message);
});

test('a run that fails says at which step and why, and the exit code says so', async () => {
  const steps = [{ type: 'sluice/fail@v1', name: 'f', message: 'no stock' }];
  const { code, stdout, stderr } = await tryOut({ steps });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('failed at f: no stock');
});

test('a reply makes the first choice at once, and its URL is masked', async () => {
  const steps = [
    { type: 'sluice/reply_urls@v1', name: 'links', choices: ['approve', 'reject'] },
    hook({ json_payload: { link: '$steps.links.approve' } }),
    { type: 'sluice/wait_for_request@v1', name: 'decision', reply_id: '$steps.links.id' },
  ];
  const { code, stdout, stderr } = await tryOut({ steps, outputs: [output('choice', '$steps.decision.choice')] });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"choice":"approve"}\n' });
  expect(stderr).toContain('{"link": "********"}');
});
