// Splits a request whose body contains a list of events: each item becomes the body of a run of its own.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { stringifyJson } from '../../core/json/json.ts';
import type { Request } from '../../core/run/request.ts';
import type { Answer } from '../../core/sink/response/response-mode.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileSelector } from '../../core/workflow/bindings.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import { carriesLastEventId } from '../streams/last-event-id.ts';
import type { TriggerAnswers } from './answer.ts';
import { mayCarryKey, readIdempotency } from './idempotency.ts';
import type { SenderGate } from './senders/sender-gate.ts';
import { type RunsStarter, startRuns } from './start-run.ts';
import type { TriggerInput } from './trigger-input.ts';

export interface SplitParts extends RunsStarter {
  engine: Pick<Engine, 'dispatchAll' | 'renderLarge'>;
  gate: SenderGate;
  answers: TriggerAnswers;
}

/** More would hold up the other requests: the runs are planned one after the other. */
const MAX_ITEMS = 1000;

/** The input of one run, whose body is decoded. */
type ItemInput = TriggerInput & { request: Request };

const compile = memoizeByIdentity(({ split }: { split?: string | undefined }) => compileSelector(split ?? '$'));

/** Starts a run for each item of the list, all or none, and answers. The sender of `request` is proven. */
export async function answerSplit(
  parts: SplitParts,
  { request, reply, answer }: { request: FastifyRequest; reply: FastifyReply; answer: Answer },
  input: TriggerInput,
): Promise<void> {
  const { engine, gate, answers } = parts;
  const { sender, target } = request;
  const items = [];
  for (const [index, item] of splitRequest(target.sink, input).entries()) {
    const idempotency = mayCarryKey(request) ? await readIdempotency(request, item, engine.renderLarge, index) : null;
    if (idempotency === null && carriesLastEventId(request)) return void reply.code(204).send();
    items.push({ input: item, idempotency });
  }
  const runs = await startRuns(parts, target.sink, items);
  const handshake = sender?.handshake ?? null;
  if (handshake !== null) return gate.answerHandshake(request, reply, handshake.answer);
  await answers.sendForAll(reply, answer, runs, input);
}

/** Empty for an empty list. Throws `unprocessable` when there is no list, and `too_large` for a long one or a large body. */
function splitRequest(sink: { split?: string | undefined }, { head, request }: TriggerInput): ItemInput[] {
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
