// The field `split` of a sink: a list in the body whose items are runs of their own.

import type { Fault } from '../fault.ts';
import { parseSelector } from '../workflow/selector.ts';
import type { RequestScope } from '../workflow/selector-faults.ts';
import { inputFault } from './input-selector.ts';

interface Given {
  split?: string;
  response?: unknown;
  payload?: string | null;
}

export function splitFaults({ split = '', response, payload }: Given, scope: Omit<RequestScope, 'isAnswer'>): Fault[] {
  const isOfBody = parseSelector(split)?.root === 'request' && parseSelector(split)?.path[0] === 'body';
  const selectorFault = isOfBody ? inputFault(split, scope) : `"${split}" must be a selector of the body, as "$request.body.events"`;
  const modeFault = answerFault(response, 'split');
  return [
    ...(selectorFault === null ? [] : [{ path: 'split', message: selectorFault }]),
    ...(modeFault === null ? [] : [{ path: 'response', message: modeFault }]),
    ...(typeof payload === 'string' ? [{ path: 'split', message: 'cannot stand beside payload' }] : []),
  ];
}

/** Many runs have no one end to wait for. Null if the answer of the sink can be sent at once. */
export function answerFault(response: unknown, field: 'split' | 'workflows'): string | null {
  const mode = typeof response === 'object' && response !== null ? (response as { mode: string }).mode : response;
  if (mode === undefined || mode === null || mode === 'accept' || mode === 'redirect') return null;
  return `cannot be "${mode}" beside ${field}: the answer is sent at once, as "accept" or "redirect"`;
}
