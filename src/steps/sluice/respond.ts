// sluice/respond@v1: answers the caller of the sink while the run goes on. The first to complete gives the answer.

import type { Fault } from '../../core/fault.ts';
import { RESPOND } from '../../core/run/run-answer.ts';
import { headerNameFault, headerValueFault } from '../../core/sink/response/answer-headers.ts';
import { isSelector } from '../../core/workflow/selector.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { integerOrSelector } from '../shared/property-schemas.ts';
import { readInteger, SettingFault } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';

interface RespondManifest {
  status?: unknown;
  headers?: Record<string, unknown>;
  body?: unknown;
}

const DEFAULT_STATUS = 200;
const MIN_STATUS = 200;
const MAX_STATUS = 599;

export const respond: StepType<RespondManifest> = {
  type: RESPOND,
  nulls: 'take',
  summary:
    'Answers the caller of a sink with `response: respond`, while the run goes on. The first of these steps that completes gives the answer; later ones output only `is_sent: false`. In other sinks the step only records its outputs.',
  properties: {
    status: integerOrSelector('the status', { minimum: MIN_STATUS, maximum: MAX_STATUS, default: DEFAULT_STATUS }),
    headers: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
      description: 'the headers by name, each a value or a selector; null sends none',
    },
    body: { description: 'text, or any value to send as JSON; selectors are found at any depth; null sends no body' },
  },
  required: [],
  findFaults: ({ headers = {} }) => Object.entries(headers).flatMap(([name, value]) => headerFaults(name, value)),
  outputs: () => ['is_sent', 'status', 'headers', 'body'],
  plan: ({ status, headers = {}, body = null }, { isAnswered }) =>
    withOperations(() => {
      if (isAnswered) return { kind: 'completed', outputs: { is_sent: false } };
      return { kind: 'completed', outputs: { is_sent: true, status: readStatus(status), headers, body } };
    }),
};

function headerFaults(name: string, value: unknown): Fault[] {
  const literal = isSelector(value) || value === null ? null : String(value).replace(/^\$\$/, '$');
  const faults = [headerNameFault(name), literal === null ? null : headerValueFault(name, literal)];
  return faults.flatMap((message) => (message === null ? [] : [{ path: `headers.${name}`, message }]));
}

/** Throws SettingFault. */
function readStatus(value: unknown): number {
  const status = value === undefined || value === null ? DEFAULT_STATUS : readInteger('status', value);
  if (status < MIN_STATUS || status > MAX_STATUS)
    throw new SettingFault(`status must be a whole number from ${MIN_STATUS} to ${MAX_STATUS}, but is ${status}`);
  return status;
}
