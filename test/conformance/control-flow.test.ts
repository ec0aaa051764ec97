// Which steps of a workflow run: recorded runs of Roboflow's own engine, replayed over HTTP, and a message that its rule
// holds back.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

interface Vector {
  workflow: Record<string, unknown>;
  inputs: Record<string, unknown>;
  want: Record<string, unknown>;
}

const vectors = JSON.parse(readFileSync(resolve(import.meta.dirname, '../vectors/control_flow_vectors.json'), 'utf8')) as Vector[];

const app = shareApp({ settings: { outbound_allow: '127.0.0.0/8' } });

async function run(path: string, inputs: object): Promise<any> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await fetch(`${app().url}/shop/${path}`, { method: 'POST', headers, body: JSON.stringify(inputs) });
  return await response.json();
}

async function save(id: string, workflow: Record<string, unknown>): Promise<void> {
  await app().workflow(id, workflow);
  await app().sink({ path: `/${id}`, workflow_id: id });
}

test('all recorded runs are there', () => {
  expect(vectors).toHaveLength(15);
});

test.each(vectors.map((vector, index) => [`recorded-${index}`, vector] as const))('%s gives what Roboflow gave', async (id, vector) => {
  await save(id, vector.workflow);
  expect(await run(id, vector.inputs)).toMatchObject({ status: 'completed', output: vector.want });
});

test('a message that two conditions name is sent only where both hold', async () => {
  const receiver = await startWebhookReceiver();
  const condition = (name: string, input: string, least: number) => ({
    type: 'roboflow_core/continue_if@v1',
    name,
    condition_statement: {
      type: 'StatementGroup',
      statements: [
        {
          type: 'BinaryStatement',
          left_operand: { type: 'DynamicOperand', operand_name: 'v' },
          comparator: { type: '(Number) >' },
          right_operand: { type: 'StaticOperand', value: least },
        },
      ],
    },
    evaluation_parameters: { v: `$inputs.${input}` },
    next_steps: ['$steps.alert'],
  });
  const alert = {
    type: 'roboflow_core/webhook_sink@v1',
    name: 'alert',
    url: receiver.url,
    method: 'POST',
    json_payload: { count: '$inputs.count', confidence: '$inputs.confidence' },
    fire_and_forget: false,
    cooldown_seconds: 0,
  };
  await save('alert', {
    inputs: ['count', 'confidence'].map((name) => ({ type: 'WorkflowParameter', name })),
    steps: [condition('many', 'count', 3), condition('sure', 'confidence', 0.8), alert],
    outputs: [{ type: 'JsonField', name: 'message', selector: '$steps.alert.message' }],
  });
  const seen = [
    [5, 0.5],
    [2, 0.9],
    [1, 0.1],
    [5, 0.9],
  ];
  const messages = [];
  for (const [count, confidence] of seen) messages.push((await run('alert', { count, confidence })).output.message);
  expect(messages).toEqual([null, null, null, 'Notification sent successfully']);
  expect(receiver.arrivals.map(({ body }) => JSON.parse(body))).toEqual([{ count: 5, confidence: 0.9 }]);
});
