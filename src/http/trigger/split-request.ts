// Splits a request whose body contains a list of events: each item becomes the body of a run of its own.

import { stringifyJson } from '../../core/json/json.ts';
import type { Request } from '../../core/run/request.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileSelector } from '../../core/workflow/bindings.ts';
import { AppError } from '../../errors.ts';
import type { TriggerInput } from './trigger-input.ts';

/** More would hold up the other requests: the runs are planned one after the other. */
const MAX_ITEMS = 1000;

/** The input of one run, whose body is decoded. */
export type ItemInput = TriggerInput & { request: Request };

const compile = memoizeByIdentity(({ split }: { split?: string | undefined }) => compileSelector(split ?? '$'));

/** Empty for an empty list. Throws `unprocessable` when there is no list, and `too_large` for a long one or a large body. */
export function splitRequest(sink: { split?: string | undefined }, { head, request }: TriggerInput): ItemInput[] {
  if (request === null) throw new AppError('too_large', 'the body is too large to be split into runs; send fewer events at a time');
  const list = compile(sink)({ request });
  if (!Array.isArray(list))
    throw new AppError('unprocessable', `the request has no list at ${sink.split}, which this sink splits into runs`);
  if (list.length > MAX_ITEMS)
    throw new AppError('too_large', `the list at ${sink.split} has ${list.length} items; at most ${MAX_ITEMS} are accepted at a time`);
  return list.map((item: unknown) => ({
    head,
    body: { kind: 'json', bytes: Buffer.from(stringifyJson(item)), charset: 'utf-8' },
    request: { ...request, body: item },
  }));
}
