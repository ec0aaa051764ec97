// Draws triggers: which workflow, with which request and idempotency key.

import type { Trigger } from '../../../src/engine/dispatch/trigger.ts';
import type { Payload } from '../../../src/payloads/payload.ts';
import type { Random } from '../time/random.ts';
import { FLOWS, MAPPINGS } from './flows.ts';
import { APP, findSimulated, sinkOf, WORKFLOWS } from './workflows.ts';

const PAYLOAD: Pick<Payload, 'kind' | 'source' | 'predictions' | 'masks'> & Record<string, unknown> = {
  kind: 'v7.stage',
  source: 'v7',
  item: { id: null, name: 'frame', path: null, dataset: null, team: null, width: 1, height: 1, frame_count: null, url: null },
  image: null,
  predictions: [],
  masks: [],
  document: null,
  metadata: null,
  has_annotations: false,
  omits_outlines: false,
};

/** Of a history: a few, so that their runs meet. */
export function drawWorkflows(random: Random): string[] {
  return Array.from({ length: random.integer(1, 4) }, () => random.pick(WORKFLOWS).workflow.id);
}

export function drawTrigger(random: Random, workflowIds: readonly string[], number: number, receivedAt: number): Trigger {
  const id = random.pick(workflowIds);
  const key = random.happens(0.3) ? `key${random.integer(1, 3)}` : null;
  // The same key usually comes with the same request.
  const n = key === null ? number : random.happens(0.9) ? key.length : number;
  const text = JSON.stringify({ n, seconds: drawSeconds(random), camera: random.pick(['a', 'b']), text: `line ${n}`, number });
  const head = {
    method: 'POST',
    path: `/${id}`,
    params: {},
    query: {},
    headers: {},
    content_type: 'application/json',
    files: [],
    client_ip: '',
    received_at: receivedAt,
    payload: PAYLOAD,
  };
  return {
    appId: APP,
    sinkId: sinkOf(id),
    workflow: findSimulated(id).workflow,
    workflowReference: { id, version: 1 },
    head,
    body: { kind: 'json', bytes: Buffer.from(text), charset: 'utf-8' },
    request: { ...head, body: JSON.parse(text) as unknown },
    inputMapping: MAPPINGS.get(sinkOf(id)) ?? {},
    flow: FLOWS.get(sinkOf(id)) ?? null,
    idempotency: key === null ? null : { key, fingerprint: String(n), keepMs: 24 * 3_600_000 },
  };
}

function drawSeconds(random: Random): number {
  return random.happens(0.2) ? 0 : Math.round(random.between(0.1, 20) * 10) / 10;
}
