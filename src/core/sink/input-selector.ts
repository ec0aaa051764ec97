// Selectors by which a sink chooses a part of the request.

import { isSelector, parseSelector } from '../workflow/selector.ts';
import { type RequestScope, requestFault } from '../workflow/selector-faults.ts';

/** Null when the text is a selector of the request that can select something. */
export function inputFault(text: string, scope: Omit<RequestScope, 'isAnswer'>): string | null {
  const root = isSelector(text) ? parseSelector(text)?.root : undefined;
  if (root !== 'request') return `"${text}" must be a selector of the request, as "$request.query.user"`;
  const fault = requestFault(text, { ...scope, isAnswer: false });
  return fault === null ? null : `"${text}" can never select anything: ${fault}`;
}
