// The workflows of the history check: one commit, a wait, deliveries that a run waits for or leaves behind, and steps that
// remember. Each edition of a workflow says which one it is in its output.

import { admin, webhook } from '../../support/remote-admin.ts';

export const APP = 'history';
export const COOLDOWN_MS = 2000;
/** The edition that the setup saves as version 1 of every workflow. */
export const FIRST_EDITION = 'first';

const retry = { max_retries: 1, base_seconds: 0.05, max_seconds: 0.1 };
const message = { json_payload: { marker: '$inputs.marker' }, request_timeout: 1, retry };

/** Steps and outputs beside those that all workflows have. */
const FLOWS: Readonly<Record<string, (receiver: string) => { steps: object[]; outputs: Record<string, string> }>> = {
  pure: () => ({ steps: [], outputs: {} }),
  slow: () => ({
    steps: [
      { type: 'sluice/delay@v1', name: 'pause', seconds: 0.3, next_steps: ['$steps.last'] },
      { type: 'sluice/set@v1', name: 'last', values: { edition: '$steps.edition.edition' } },
    ],
    outputs: { last_edition: '$steps.last.edition' },
  }),
  awaited: (receiver) => ({
    steps: [webhook('notify', receiver, { ...message, fire_and_forget: false })],
    outputs: { status_code: '$steps.notify.status_code' },
  }),
  background: (receiver) => ({ steps: [webhook('notify', receiver, { ...message, fire_and_forget: true })], outputs: {} }),
  remember: () => ({
    steps: [
      { type: 'roboflow_core/cache_get@v1', name: 'recall', image: '$inputs.image', key: 'last', on_success: ['$steps.store'] },
      { type: 'roboflow_core/cache_set@v1', name: 'store', image: '$inputs.image', key: 'last', value: '$inputs.marker' },
    ],
    outputs: { previous: '$steps.recall.output', stored: '$steps.store.output' },
  }),
  limited: () => ({
    steps: [
      {
        type: 'roboflow_core/rate_limiter@v1',
        name: 'limit',
        cooldown_seconds: COOLDOWN_MS / 1000,
        depends_on: '$steps.edition.marker',
        next_steps: ['$steps.pass'],
      },
      { type: 'sluice/set@v1', name: 'pass', values: { marker: '$inputs.marker' } },
    ],
    outputs: { passed: '$steps.pass.marker' },
  }),
};

/** Names of the workflows, and of their sinks. */
export const SINKS = Object.keys(FLOWS);
/** A replay of the others would store the same marker again. */
export const REPLAYED = new Set(['pure', 'slow', 'awaited', 'background']);

export function definitionOf(workflow: string, edition: string, receiver: string): object {
  const { steps, outputs } = (FLOWS[workflow] as (typeof FLOWS)[string])(receiver);
  const fields = { edition: '$steps.edition.edition', marker: '$inputs.marker', ...outputs };
  return {
    version: '1.0',
    inputs: [
      { type: 'WorkflowParameter', name: 'marker' },
      { type: 'WorkflowParameter', name: 'image', default_value: 'frame' },
    ],
    steps: [{ type: 'sluice/set@v1', name: 'edition', values: { edition, marker: '$inputs.marker' } }, ...steps],
    outputs: Object.entries(fields).map(([name, selector]) => ({ type: 'JsonField', name, selector })),
  };
}

/** Returns the edition that a definition names. */
export function editionOf(definition: unknown): string {
  const { steps } = definition as { steps: { values: { edition: string } }[] };
  return steps[0]?.values.edition as string;
}

export async function defineWorkload(server: { url: string }, receiver: string): Promise<void> {
  for (const sink of SINKS) {
    await admin(server, 'PUT', `/apps/${APP}/workflows/${sink}`, definitionOf(sink, FIRST_EDITION, receiver));
    await admin(server, 'POST', `/apps/${APP}/sinks`, { path: `/${sink}`, method: 'POST', workflow_id: sink });
  }
}
