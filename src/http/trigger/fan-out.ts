// Starts the workflows of a sink that a request matches, and answers it. A filter sees what a workflow sees of the request.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseJson } from '../../core/json/json.ts';
import { fanOutFilter } from '../../core/sink/fan-out-filter.ts';
import type { FanOutEntry } from '../../core/sink/fan-out-setting.ts';
import type { Answer } from '../../core/sink/response/response-mode.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileSelector } from '../../core/workflow/bindings.ts';
import { parseSelector } from '../../core/workflow/selector.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import { carriesLastEventId } from '../streams/last-event-id.ts';
import type { TriggerAnswers } from './answer.ts';
import { mayCarryKey, readIdempotency } from './idempotency.ts';
import { type RejectionLog, unmatchedOf } from './rejections/rejection-log.ts';
import type { SenderGate } from './senders/sender-gate.ts';
import { type RunsStarter, startEntries } from './start-run.ts';
import type { TriggerInput } from './trigger-input.ts';

export interface FanOutParts extends RunsStarter {
  engine: Pick<Engine, 'dispatchAll' | 'renderLarge'>;
  gate: SenderGate;
  answers: TriggerAnswers;
  rejections: RejectionLog;
}

/** Each run has a copy of the body. */
const MAX_STORED_BYTES = 64 * 2 ** 20;

/** The sender of `request` is proven. */
export async function answerFanOut(
  parts: FanOutParts,
  {
    request,
    reply,
    answer,
    workflows,
  }: { request: FastifyRequest; reply: FastifyReply; answer: Answer; workflows: readonly FanOutEntry[] },
  input: TriggerInput,
): Promise<void> {
  const { engine, gate, answers, rejections } = parts;
  const { method, sender } = request;
  const { sink, path, clientIp } = request.target;
  const entries = await matchingEntries(workflows, input, engine.renderLarge);
  refuseCopies(input, entries.length);
  const idempotency = mayCarryKey(request) ? await readIdempotency(request, input, engine.renderLarge) : null;
  if (idempotency === null && carriesLastEventId(request)) return void reply.code(204).send();
  const runs = entries.length === 0 ? [] : await startEntries(parts, sink, entries, input, idempotency);
  const handshake = sender?.handshake ?? null;
  if (handshake !== null) return gate.answerHandshake(request, reply, handshake.answer);
  await answers.sendForAll(reply, answer, runs, input);
  if (runs.length === 0)
    rejections.add(unmatchedOf(reply.statusCode, { sinkId: sink.id, method, path: `/${sink.appId}${path}`, clientIp }));
}

interface CompiledSelector {
  select: ReturnType<typeof compileSelector>;
  isInBody: boolean;
}

const compileAll = memoizeByIdentity((selectors: readonly string[]): CompiledSelector[] =>
  selectors.map((text) => ({ select: compileSelector(text), isInBody: [undefined, 'body'].includes(parseSelector(text)?.path[0]) })),
);

async function matchingEntries(
  workflows: readonly FanOutEntry[],
  { head, body, request, reading }: TriggerInput,
  renderLarge: Engine['renderLarge'],
): Promise<FanOutEntry[]> {
  const { selectors, match } = fanOutFilter(workflows);
  const compiled = compileAll(selectors);
  if (request !== null || !compiled.some(({ isInBody }) => isInBody))
    return match(compiled.map(({ select }) => select({ request: request ?? head })));
  return match(parseJson(await renderLarge({ head, body, reading, template: selectors, roots: '{}' })) as unknown[]);
}

function refuseCopies({ body }: TriggerInput, count: number): void {
  const { byteLength } = body.bytes;
  if (count <= 1 || count * byteLength <= MAX_STORED_BYTES) return;
  throw new AppError(
    'too_large',
    `the body has ${byteLength} bytes and starts ${count} workflows; at most ${MAX_STORED_BYTES} bytes are stored for one request`,
  );
}
