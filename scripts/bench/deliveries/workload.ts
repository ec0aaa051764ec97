// Sinks whose runs send: the definitions, and the answer of a run that waits for its delivery.

import { APP_ID, definitionText, EXPECTED_OUTPUT, inputsNamed, output, set } from '../workload.ts';

/** Paths of the public sinks, one for each workflow. */
export const DELIVERY_PATHS = {
  /** One step that sends in the background; answered at once. */
  background: '/bench/background',
  /** As `background`, with this many steps: what accepting a run takes is spread over as many deliveries. */
  many: '/bench/many',
  /** Three steps: the second sends, and the third shows the answer of the receiver. Answered as a stream. */
  awaited: '/bench/awaited',
} as const;

/** Deliveries of one run of `many`. */
export const DELIVERIES_OF_A_RUN = 10;

export const AWAITED_OUTPUT = { ...EXPECTED_OUTPUT, status: 200 } as const;

/** Longer than any round, so that a receiver which holds its answers is no failure. */
const TIMEOUT_SECONDS = 60;
const FIELDS = ['event', 'id', 'source', 'data'];

/** The server sends the received body on, field by field. */
export function deliveryDefinitions(receiverPort: number): string {
  const payload = Object.fromEntries(FIELDS.map((name) => [name, `$inputs.${name}`]));
  const send = {
    type: 'roboflow_core/webhook_sink@v1',
    name: 'send',
    url: `http://127.0.0.1:${receiverPort}/hook`,
    method: 'POST',
    json_payload: payload,
    cooldown_seconds: 0,
    request_timeout: TIMEOUT_SECONDS,
  };
  const inputs = inputsNamed(FIELDS);
  const background = { version: '1.0', inputs, steps: [{ ...send, fire_and_forget: true }], outputs: [] };
  const names = Array.from({ length: DELIVERIES_OF_A_RUN }, (_, index) => `send${index + 1}`);
  const many = { version: '1.0', inputs, steps: names.map((name) => ({ ...send, name, fire_and_forget: true })), outputs: [] };
  const awaited = {
    version: '1.0',
    inputs,
    steps: [
      set('read', { event: '$inputs.event', id: '$inputs.id' }),
      { ...send, json_payload: { ...payload, event: '$steps.read.event' }, fire_and_forget: false },
      set('join', { event: '$steps.read.event', id: '$steps.read.id', status: '$steps.send.status_code' }),
    ],
    outputs: Object.keys(AWAITED_OUTPUT).map((name) => output(name, `$steps.join.${name}`)),
  };
  const sink = { app_id: APP_ID, method: 'POST', auth_token: null };
  return definitionText([APP_ID], { background, many, awaited }, [
    { ...sink, path: '/background', workflow_id: 'background', response: { mode: 'accept', status: 200 } },
    { ...sink, path: '/many', workflow_id: 'many', response: { mode: 'accept', status: 200 } },
    { ...sink, path: '/awaited', workflow_id: 'awaited' },
  ]);
}
