// The workflows of the simulation: built-in steps that compute, wait, send, remember, loop, run for each item of a list and fail.

import type { StepDocument, WorkflowDocument } from '../../../src/core/workflow/document.ts';
import { workflowFaults } from '../../../src/core/workflow/faults.ts';
import { planWorkflow, type Workflow } from '../../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../../src/steps/builtin.ts';
import { createStepTypes } from '../../../src/steps/registry.ts';

export const APP = 'simulated';
/** The workflow that waits for a reply, and the id of the reply. */
export const APPROVAL = 'approval';
export const FIRST_REPLY = 'reply_0_1';
export const REPLY_SECONDS = 3;
/** The workflow whose items send, wait and remember, and its list. */
export const ITEMS = 'items';
export const LIST = ['a', 'b', 'c', 'd', 'e'];

export interface SimulatedWorkflow {
  workflow: Workflow;
  document: string;
}

const RETRIES = { max_retries: 2, base_seconds: 0.5, max_seconds: 4 };

const set = (name: string, values: Record<string, unknown>): StepDocument => ({ type: 'sluice/set@v1', name, values });
const delay = (name: string, next: string[] = []): StepDocument => ({
  type: 'sluice/delay@v1',
  name,
  seconds: '$inputs.seconds',
  next_steps: next.map((step) => `$steps.${step}`),
});
const webhook = (name: string, receiver: string, fields: Record<string, unknown> = {}): StepDocument => ({
  type: 'roboflow_core/webhook_sink@v1',
  name,
  url: `https://${receiver}.test/`,
  method: 'POST',
  json_payload: { n: '$inputs.n' },
  cooldown_seconds: 0,
  fire_and_forget: false,
  retry: RETRIES,
  ...fields,
});
const camera = (fields: Record<string, unknown>): StepDocument => ({
  type: 'robovision/camera_webhook@v1',
  name: 'send',
  url: 'https://camera.test/',
  payload: '$request.payload',
  include_image: false,
  retry: RETRIES,
  ...fields,
});
const write = (name: string, mode: string): StepDocument => ({
  type: 'roboflow_core/local_file_sink@v1',
  name,
  content: '$inputs.text',
  file_type: 'txt',
  output_mode: mode,
  target_directory: 'files',
});
const latest = { overflow: 'latest_wins', overflow_key: '$inputs.camera' };
const atMostTwo = { overflow: 'reject', overflow_limit: 2 };

const STEPS: Record<string, StepDocument[]> = {
  pure: [set('first', { n: '$inputs.n' }), set('second', { n: '$steps.first.n' })],
  wait: [delay('pause', ['after']), set('after', { n: '$inputs.n' })],
  notify: [webhook('send', 'one'), set('after', { message: '$steps.send.message' })],
  background: [webhook('send', 'two', { fire_and_forget: true })],
  cooldown: [webhook('send', 'one', { cooldown_seconds: 6, fire_and_forget: true }), set('after', { message: '$steps.send.message' })],
  'awaited-cooldown': [webhook('send', 'two', { cooldown_seconds: 3 }), set('after', { message: '$steps.send.message' })],
  limiter: [
    set('first', { n: '$inputs.n' }),
    {
      type: 'roboflow_core/rate_limiter@v1',
      name: 'limit',
      cooldown_seconds: 4,
      depends_on: '$steps.first.n',
      next_steps: ['$steps.send'],
    },
    webhook('send', 'one'),
  ],
  fan: [
    webhook('left', 'one'),
    webhook('right', 'two'),
    delay('pause'),
    set('join', { left: '$steps.left.message', right: '$steps.right.message', seconds: '$steps.pause.seconds' }),
  ],
  'fan-and-file': [
    webhook('left', 'two'),
    write('file', 'separate_files'),
    set('join', { left: '$steps.left.message', file: '$steps.file.message' }),
  ],
  file: [write('file', 'separate_files'), set('after', { message: '$steps.file.message' })],
  log: [write('file', 'append_log'), set('after', { message: '$steps.file.message' })],
  latest: [camera(latest)],
  'awaited-latest': [camera({ ...latest, fire_and_forget: false })],
  reject: [camera(atMostTwo)],
  'awaited-reject': [camera({ ...atMostTwo, fire_and_forget: false })],
  retry: [
    { type: 'sluice/fail@v1', name: 'attempt', times: 2, retry: { max_retries: 3, base_seconds: 1, max_seconds: 4 } },
    set('after', { attempts: '$steps.attempt.attempts' }),
  ],
  failing: [webhook('send', 'one'), delay('pause', ['fail']), { type: 'sluice/fail@v1', name: 'fail' }],
  [APPROVAL]: [
    { type: 'sluice/reply_urls@v1', name: 'links', choices: ['approve', 'reject'] },
    webhook('send', 'one', { fire_and_forget: true }),
    delay('pause', ['decision']),
    {
      type: 'sluice/wait_for_request@v1',
      name: 'decision',
      reply_id: '$steps.links.id',
      timeout_seconds: REPLY_SECONDS,
      on_timeout: 'complete',
    },
  ],
  [ITEMS]: [
    {
      type: 'sluice/for_each@v1',
      name: 'each',
      items: LIST,
      max_concurrent: 2,
      on_item_failure: 'continue',
      parameter_bindings: { item: '$item', n: '$inputs.n', seconds: '$inputs.seconds' },
      workflow_definition: {
        version: '1.0',
        inputs: ['item', 'n', 'seconds'].map((name) => ({ type: 'WorkflowParameter', name })),
        steps: [
          webhook('send', 'one', { json_payload: { n: '$inputs.n', item: '$inputs.item' } }),
          webhook('tell', 'two', { cooldown_seconds: 2, fire_and_forget: true }),
          delay('pause', ['after']),
          set('after', { item: '$inputs.item', sent: '$steps.send.message' }),
        ],
        outputs: [{ type: 'JsonField', name: 'item', selector: '$steps.after.item' }],
      },
    },
  ],
  loop: [
    webhook('work', 'two', { max_visits: 3 }),
    { type: 'sluice/fail@v1', name: 'again', message: '$steps.work.message', on_failure: ['$steps.work'] },
  ],
};

/** Of sinks with flow control (flows.ts). */
const HELD_STEPS: Record<string, StepDocument[]> = {
  'one-at-a-time': [webhook('send', 'one'), delay('pause')],
  'in-order': [delay('pause', ['send']), webhook('send', 'two')],
  'two-in-order': [webhook('send', 'one'), write('file', 'separate_files')],
  'newest-held': [webhook('send', 'two'), set('after', { message: '$steps.send.message' })],
  debounced: [delay('pause', ['fail']), { type: 'sluice/fail@v1', name: 'fail' }],
  dropping: [delay('pause', ['after']), set('after', { n: '$inputs.n' })],
  collecting: [webhook('send', 'one'), set('after', { count: '$request.batch.length' })],
  cooling: [webhook('send', 'two'), delay('pause')],
  refusing: [write('file', 'append_log'), set('after', { message: '$steps.file.message' })],
};

const INPUTS = ['n', 'seconds', 'camera', 'text'].map((name) => ({ type: 'WorkflowParameter' as const, name }));

export const stepTypes = createStepTypes(builtinStepTypes);
export const WORKFLOWS: readonly SimulatedWorkflow[] = Object.entries({ ...STEPS, ...HELD_STEPS }).map(([id, steps]) =>
  simulated(id, steps),
);

export function findSimulated(id: string): SimulatedWorkflow {
  return WORKFLOWS.find(({ workflow }) => workflow.id === id) as SimulatedWorkflow;
}

/** The sink of a workflow. */
export const sinkOf = (workflowId: string): string => `snk_${workflowId}`;

function simulated(id: string, steps: StepDocument[]): SimulatedWorkflow {
  const outputs = steps.slice(-1).map(({ name }) => ({ type: 'JsonField', name: 'last', selector: `$steps.${name}.*` }));
  const document: WorkflowDocument = { version: '1.0', inputs: INPUTS, steps, outputs };
  const [fault] = workflowFaults(document, stepTypes.inspect);
  if (fault !== undefined) throw new Error(`the workflow "${id}" of the simulation cannot run: ${fault.path} ${fault.message}`);
  return { workflow: planWorkflow(id, 1, document), document: JSON.stringify(document) };
}
