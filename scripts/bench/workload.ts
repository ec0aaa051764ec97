// What the bench asks of the server: its definitions, the request, and what the answer to it must be.

import { createHmac } from 'node:crypto';
import { ExactNumber, stringifyJson } from '../../src/core/json/json.ts';

const BODY_BYTES = 1024;

export const set = (name: string, values: Record<string, string>): object => ({ type: 'sluice/set@v1', name, values });
export const output = (name: string, selector: string): object => ({ type: 'JsonField', name, selector });
export const inputsNamed = (names: string[]): object[] => names.map((name) => ({ type: 'WorkflowParameter', name }));

export const APP_ID = 'bench';

const workflows = {
  'three-steps': {
    version: '1.0',
    inputs: inputsNamed(['event', 'id']),
    steps: [
      set('read', { event: '$inputs.event', id: '$inputs.id' }),
      set('name', { event: '$steps.read.event' }),
      set('join', { event: '$steps.name.event', id: '$steps.read.id' }),
    ],
    outputs: [output('event', '$steps.join.event'), output('id', '$steps.join.id')],
  },
  'long-wait': { version: '1.0', inputs: [], steps: [{ type: 'sluice/delay@v1', name: 'wait', seconds: 86_400 }], outputs: [] },
  'always-fails': { version: '1.0', inputs: [], steps: [{ type: 'sluice/fail@v1', name: 'fail' }], outputs: [] },
};

/** Paths of the sinks: a public one for each workflow, and a sink that verifies its sender. */
export const TRIGGER_PATHS = {
  threeSteps: '/bench/three-steps',
  verified: '/bench/verified',
  longWait: '/bench/long-wait',
  alwaysFails: '/bench/always-fails',
} as const;

const SIGNATURE_HEADER = 'X-Signature';
const SIGNING_SECRET = 'signing-secret-of-the-bench';
const verified = {
  app_id: APP_ID,
  path: '/verified',
  method: 'POST',
  workflow_id: 'three-steps',
  auth: { type: 'hmac', header: SIGNATURE_HEADER, secrets: [SIGNING_SECRET] },
};

/** Beside the bench's own app, others with so many sinks each, without workflow. */
export function definitionFile(otherApps: string[] = [], sinksOfEach = 0): string {
  const sink = { method: 'POST', auth_token: null };
  const ours = Object.keys(workflows).map((id) => ({ ...sink, app_id: APP_ID, path: `/${id}`, workflow_id: id }));
  const others = otherApps.flatMap((appId) =>
    Array.from({ length: sinksOfEach }, (_, index) => ({ ...sink, app_id: appId, path: `/sink-${index}` })),
  );
  return definitionText([APP_ID, ...otherApps], workflows, [...ours, ...others]);
}

/** The workflow of three steps under a public sink and under a sink that verifies its sender, which older versions do not know. */
export function verifiedDefinitionFile(): string {
  const open = { app_id: APP_ID, path: TRIGGER_PATHS.threeSteps.slice(`/${APP_ID}`.length), method: 'POST', auth_token: null };
  return definitionText([APP_ID], workflows, [{ ...open, workflow_id: 'three-steps' }, verified]);
}

/** The content of a definition file: JSON, which is YAML too. The workflows are of the bench's own app. */
export function definitionText(apps: string[], workflowsById: Record<string, object>, sinks: object[]): string {
  return JSON.stringify({
    apps: apps.map((id) => ({ id })),
    workflows: Object.entries(workflowsById).map(([id, definition]) => ({ app_id: APP_ID, id, definition })),
    sinks,
  });
}

export const EXPECTED_OUTPUT = { event: 'annotation.completed', id: 9_007_199_254_740 } as const;

/**
 * A webhook as such services post it, of 1,024 bytes: with booleans and nulls, and with a number written as JavaScript
 * would not write it (`0.70`), so that the body takes the server's exact way of reading JSON.
 */
export function requestBody(): string {
  const boxes = Array.from({ length: 6 }, (_, index) => ({
    class: `part-${index}`,
    confidence: 0.9 + index / 100,
    x: 12.5 * index,
    y: 480,
    width: 64,
    height: 32,
    occluded: index % 2 === 0,
    tracker_id: null,
  }));
  const threshold = new ExactNumber('0.70');
  const document = { ...EXPECTED_OUTPUT, source: 'camera-04', data: { threshold, reviewed: false, boxes, note: '' } };
  document.data.note = 'n'.repeat(BODY_BYTES - stringifyJson(document).length);
  return stringifyJson(document);
}

export function requestBytes(path: string, host: string): Buffer {
  const body = requestBody();
  const signature = createHmac('sha256', SIGNING_SECRET).update(body, 'latin1').digest('hex');
  const head = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${SIGNATURE_HEADER}: ${signature}\r\n`;
  return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
}
