// Answers of a sink or a step: status, headers and body, with values selected from the request and the run.

import { stringifyJson } from '../../core/json/json.ts';
import type { RunAnswer } from '../../core/run/run-answer.ts';
import { headerNameFault, selectedHeader } from '../../core/sink/response/answer-headers.ts';
import type { AnswerContent } from '../../core/sink/response/response-mode.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileBinding, type Roots, resolveBindings } from '../../core/workflow/bindings.ts';
import { findSelectors, isSelector, parseSelector } from '../../core/workflow/selector.ts';

export interface CustomAnswer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
}

/** The part of a response that may contain selectors, as a template or rendered. */
interface Selected {
  /** Only headers whose value is a selector. */
  headers: Record<string, unknown>;
  body: unknown;
}

interface CompiledResponse {
  template: Selected;
  render: (roots: Roots) => Selected;
  make: (content: unknown) => CustomAnswer;
  /** True when the template selects anything from the request; `usesBody`: from its body. */
  usesRequest: boolean;
  usesBody: boolean;
}

/** Compiled once per sink: its response is the same object for every request. */
export const compileResponse = memoizeByIdentity(({ status, headers, body }: AnswerContent): CompiledResponse => {
  // Sinks stored by an older version may contain headers that are forbidden now.
  const allowed = Object.entries(headers).filter(([name]) => headerNameFault(name) === null);
  const fixed = Object.fromEntries(
    allowed.flatMap(([name, value]) => (isSelector(value) ? [] : [[name.toLowerCase(), resolveBindings(value, {}) as string]])),
  );
  const template = { headers: Object.fromEntries(allowed.filter(([, value]) => isSelector(value))), body };
  const fields = findSelectors(template).flatMap((text) => {
    const selector = parseSelector(text);
    return selector?.root === 'request' ? [selector.path[0] ?? 'body'] : [];
  });
  return {
    template,
    render: compileBinding(template) as (roots: Roots) => Selected,
    make: (content) => makeAnswer(status, fixed, content as Selected),
    usesRequest: fields.length > 0,
    usesBody: fields.includes('body'),
  };
});

/** The answer of a respond step. */
export function stepAnswer({ status, headers, body }: RunAnswer): CustomAnswer {
  // A step stored by an older version may name headers that are forbidden now.
  const allowed = Object.entries(headers).filter(([name]) => headerNameFault(name) === null);
  return makeAnswer(Number(status), {}, { headers: Object.fromEntries(allowed), body });
}

/** Answers of these have no body (RFC 9110, 15.3.5 and 15.4.5). */
const EMPTY_STATUSES = [204, 304];

function makeAnswer(status: number, fixed: Readonly<Record<string, string>>, { headers, body }: Selected): CustomAnswer {
  const made = { ...fixed };
  for (const [name, value] of Object.entries(headers)) {
    const text = selectedHeader(name, value);
    if (text !== null) made[name.toLowerCase()] = text;
  }
  const isText = typeof body === 'string';
  const isEmpty = body === null || EMPTY_STATUSES.includes(status);
  if (body !== null) made['content-type'] ??= isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  // A page made by a workflow must not act as a page of this server, whatever its content type.
  if (/html|svg|xml/i.test(made['content-type'] ?? '')) made['content-security-policy'] = 'sandbox';
  made['x-content-type-options'] = 'nosniff';
  const text = isEmpty ? '' : isText ? body : stringifyJson(body);
  // With a string body, Node encodes the headers in the body's charset instead of Latin-1.
  const hasBytes = Object.values(made).some((value) => /[\u0080-\u00ff]/.test(value));
  return { status, headers: made, body: hasBytes ? Buffer.from(text) : text };
}
