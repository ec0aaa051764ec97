// The three trigger routes. Each request takes the same path: match the sink, check the rate, verify the token from the
// head, read the body within its limits, start the run, answer.

import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Clock } from '../../clock.ts';
import { type Answer, batchAnswer, mayUseRequest, negotiateAnswer } from '../../core/sink/response/response-mode.ts';
import { requestPathFault } from '../../core/sink/sink-path.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../files/blobs.ts';
import type { MemoryBudget } from '../../memory-budget.ts';
import { findPreset } from '../../presets/table.ts';
import { BodyMemory } from '../body/body-memory.ts';
import type { PayloadIntake } from '../body/payload-intake.ts';
import { allowOrigin } from '../cors.ts';
import { everyMethod } from '../every-method.ts';
import type { BlockedClients } from '../limits/blocked-clients.ts';
import type { SinkRates } from '../limits/sink-rates.ts';
import { carriesLastEventId } from '../streams/last-event-id.ts';
import type { TriggerAnswers } from './answer.ts';
import { answerFanOut } from './fan-out.ts';
import type { FormGuard } from './forms/form-guard.ts';
import { findTokenSink, sendToken } from './forms/token-answer.ts';
import { mayCarryKey, readIdempotency } from './idempotency.ts';
import { answerOtherMethod, type OtherMethods } from './other-methods.ts';
import type { RefusedBody } from './rejections/refused-body.ts';
import type { RefusedCaptures } from './rejections/refused-captures.ts';
import { type RejectionLog, refusalOf, spamOf } from './rejections/rejection-log.ts';
import { SchemaExamination } from './schema-examination.ts';
import { hideBodySecret } from './senders/hide-body-secret.ts';
import { secretPlaceOf } from './senders/open-scheme.ts';
import { providerAnswer } from './senders/provider-answer.ts';
import type { SenderCheck } from './senders/sender-check.ts';
import { findClaiming, type SenderGate } from './senders/sender-gate.ts';
import { createSinkRouter, type SinkRouter } from './sink-router.ts';
import { answerSplit } from './split-request.ts';
import { startRun } from './start-run.ts';
import { readTriggerInput, type TriggerInput } from './trigger-input.ts';
import { splitUrl, TRIGGER_PREFIXES } from './trigger-path.ts';
import type { TriggerTarget } from './trigger-target.ts';

declare module 'fastify' {
  interface FastifyRequest {
    target: TriggerTarget;
    /** Set for a sink whose senders prove themselves by a scheme. */
    sender: SenderCheck | null;
    /** Set for a request that no sink of its path accepts, but that may be a handshake of one. */
    otherMethods: OtherMethods | null;
    /** Set while the operator waits for a refused request of the sink. */
    refusedBody: RefusedBody | null;
  }
  interface FastifyContextConfig {
    /** The part of the URL before the app's segment. */
    triggerPrefix?: string;
    isTrigger?: boolean;
  }
}

export interface TriggerDependencies {
  catalog: Catalog;
  engine: Engine;
  blobs: BlobStore;
  payloads: PayloadIntake;
  memory: Pick<MemoryBudget, 'bodies' | 'runs'>;
  wallClock: Clock;
  gate: SenderGate;
  answers: TriggerAnswers;
  forms: FormGuard;
  rejections: RejectionLog;
  rates: SinkRates;
  blocked: BlockedClients;
  captures: RefusedCaptures;
  /** Throws `unavailable` while the server should take no new runs. */
  refuseWhenFull: () => void;
}

export function triggerRoutes(server: FastifyInstance, dependencies: TriggerDependencies): void {
  const route = new TriggerRoute(dependencies);
  server.decorateRequest('target', null as unknown as TriggerTarget);
  server.decorateRequest('sender', null);
  server.decorateRequest('otherMethods', null);
  server.decorateRequest('refusedBody', null);
  for (const prefix of TRIGGER_PREFIXES) registerUnder(prefix, server, route, dependencies.gate);
}

/**
 * The last hook starts the run and answers, so Fastify never looks for a body parser. It would answer 415 to a Content-Type
 * that is empty or not a media type, although the sink decides how its body is read. The reason is not speed: with a parser
 * that reads nothing, the rate at 64 connections is the same (1.00 of it, by `npm run bench -- --against`).
 */
function registerUnder(triggerPrefix: string, server: FastifyInstance, route: TriggerRoute, gate: SenderGate): void {
  server.route({
    // A method that no sink accepts is answered with those that are accepted.
    method: everyMethod(server),
    url: `${triggerPrefix}/*`,
    schema: { hide: true },
    config: { triggerPrefix, isTrigger: true },
    onRequest: [
      (request, reply, done) => route.findSink(triggerPrefix, request, reply, done),
      (request, _reply, done) => route.checkRate(request, done),
      (request, reply, done) => gate.verify(request, reply, done),
      (request, reply) => {
        route.handle(request, reply).catch((error: Error) => reply.send(error));
      },
    ],
    onError: (request, _reply, error, done) => route.recordRejection(request, error, done),
    handler: (request, reply) => route.handle(request, reply),
  });
}

class TriggerRoute {
  readonly #parts: TriggerDependencies;
  /** Replaced as a whole when definitions change. */
  #router: SinkRouter;

  constructor(parts: TriggerDependencies) {
    this.#parts = parts;
    this.#router = createSinkRouter(parts.catalog.current().sinks);
    parts.catalog.onChange(({ sinks }) => {
      this.#router = createSinkRouter(sinks);
    });
  }

  findSink(prefix: string, request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const clientIp = clientIpOf(request);
    if (this.#parts.blocked.has(clientIp)) return done(new AppError('forbidden', 'this address is blocked'));
    const [path, query] = splitUrl(request.raw.url as string, prefix);
    const fault = requestPathFault(path);
    if (fault !== null) return done(new AppError('invalid', `the request is malformed: ${fault}`));
    const match = this.#router.match(request.method, path);
    if (match.kind === 'none') return done(new AppError('not_found', `no sink found for ${request.method} ${path}`));
    const endOfApp = path.indexOf('/', 1);
    const place = { path: endOfApp === -1 ? '/' : path.slice(endOfApp), query, clientIp };
    if (match.kind === 'sink') {
      request.target = { sink: match.sink, params: match.params, ...place };
      request.refusedBody = this.#parts.captures.watch(match.sink.id, request.raw, reply.raw);
      if (match.sink.cors !== undefined) allowOrigin(request, reply, match.sink.cors);
      return done();
    }
    const tokenSink = findTokenSink(match.sinks, request.method, query);
    if (tokenSink !== undefined) {
      if (tokenSink.cors !== undefined) allowOrigin(request, reply, tokenSink.cors);
      return sendToken(reply, tokenSink, this.#parts.forms.tokens, query);
    }
    const claiming = findClaiming(match.sinks, request, query);
    if (claiming === undefined) return answerOtherMethod(request, reply, match, done);
    request.target = { sink: claiming, params: {}, ...place };
    request.otherMethods = match;
    done();
  }

  checkRate(request: FastifyRequest, done: HookHandlerDoneFunction): void {
    const { rates } = this.#parts;
    const refusal = rates.check(request.target);
    if (refusal === undefined) rates.open(request.target.sink).then(() => this.checkRate(request, done), done);
    else if (refusal === null) done();
    else done(refusal);
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // A reconnecting stream must not start a run. Without a key there is no run to join, and 204 makes an EventSource stop.
    if (carriesLastEventId(request) && !mayCarryKey(request)) return void reply.code(204).send();
    this.#parts.refuseWhenFull();
    const { sender } = request;
    const bodyMemory = new BodyMemory(this.#parts.memory, request.raw);
    try {
      await this.#accept(request, reply, bodyMemory);
    } catch (error) {
      throw sender === null ? error : await sender.explain(error);
    } finally {
      bodyMemory.release();
    }
  }

  /** Reads the request, and refuses what does not fit its sink. Then starts what it starts, and answers. */
  async #accept(request: FastifyRequest, reply: FastifyReply, bodyMemory: BodyMemory): Promise<void> {
    const { engine, blobs, payloads, wallClock, gate, rates } = this.#parts;
    const { target, sender } = request;
    const { sink } = target;
    let answer = answerOf(request);
    const form = answer.response.mode === 'form' ? this.#parts.forms.begin(sink, answer.response) : null;
    const examination = sink.schema === undefined ? null : new SchemaExamination(sink.schema, { engine, form, sender });
    if (sender === null) rates.take(target, reply.raw);
    const check = examination ?? form;
    let input = await readTriggerInput(request, target, { blobs, payloads, bodyMemory, sender, check, now: wallClock() });
    const handshake = sender?.handshake ?? null;
    if (handshake !== null && !handshake.startsRun) return gate.answerHandshake(request, reply, handshake.answer);
    if (sender !== null) rates.take(target, reply.raw);
    if (form !== null) {
      const examined = await form.finish(input);
      input = examined.input;
      answer = { ...answer, response: examined.response };
      if (examined.spam !== null) return await this.#answerSpam(request, reply, answer, examined.spam);
    }
    if (examination !== null) await examination.check(input);
    const secretPlace = sender?.secretPlace ?? null;
    if (secretPlace !== null) input = hideBodySecret(input, secretPlace);
    const caller = { request, reply, answer };
    if (sink.split !== undefined) return await answerSplit(this.#parts, caller, input);
    if (sink.workflows !== undefined) return await answerFanOut(this.#parts, { ...caller, workflows: sink.workflows }, input);
    // Not awaited here, where the input would be kept.
    return this.#startOne(caller, input, bodyMemory);
  }

  async #startOne({ request, reply, answer }: Caller, input: TriggerInput, bodyMemory: BodyMemory): Promise<void> {
    const { engine, gate, captures, answers } = this.#parts;
    const idempotency = mayCarryKey(request) ? await readIdempotency(request, input, engine.renderLarge) : null;
    if (idempotency === null && carriesLastEventId(request)) return void reply.code(204).send();
    const run = await startRun(this.#parts, request.target.sink, input, idempotency);
    const handshake = request.sender?.handshake ?? null;
    if (handshake !== null) return gate.answerHandshake(request, reply.header('x-run-id', run.runId), handshake.answer);
    if (request.refusedBody !== null) captures.release(request.refusedBody);
    if (mayUseRequest(answer)) return await answers.send(reply, answer, run, input);
    // The run is on disk: the body is released before waiting for its end, which is not awaited here for the same reason.
    bodyMemory.release();
    return answers.send(reply, answer, run, null);
  }

  /** The sender gets what a visitor gets, with the id of no run. */
  async #answerSpam(request: FastifyRequest, reply: FastifyReply, answer: Answer, reason: string): Promise<void> {
    const { engine, answers, rejections } = this.#parts;
    const { method, target } = request;
    const { sink, path, clientIp } = target;
    await answers.send(
      reply,
      answer,
      { runId: engine.newRunId(), events: [], answer: null, ended: null, isDuplicate: false, isQueued: false },
      null,
    );
    rejections.add(spamOf(reply.statusCode, reason, { sinkId: sink.id, method, path: `/${sink.appId}${path}`, clientIp }));
  }

  recordRejection(request: FastifyRequest, error: Error, done: () => void): void {
    if (!(error instanceof AppError)) return done();
    const { rejections, captures } = this.#parts;
    const [path] = splitUrl(request.raw.url as string, request.routeOptions.config.triggerPrefix as string);
    const { method, target, refusedBody, raw } = request;
    const clientIp = target?.clientIp ?? clientIpOf(request);
    const entry = rejections.add(refusalOf(error, { sinkId: target?.sink.id, method, path, clientIp }));
    if (refusedBody === null) return done();
    void refusedBody.readRest().then(() => {
      const { id, auth } = target.sink;
      captures.keep(entry, id, raw, refusedBody, auth.type === 'scheme' ? secretPlaceOf(auth) : null);
      done();
    });
  }
}

/** Who sent a request, and how they are answered. */
interface Caller {
  request: FastifyRequest;
  reply: FastifyReply;
  answer: Answer;
}

/** A provider reads no stream, and wishes for nothing. */
function answerOf({ raw, target }: FastifyRequest): Answer {
  const { accept, prefer } = raw.headers;
  const { auth, response, flow } = target.sink;
  const preset = auth.type === 'scheme' ? findPreset(auth.scheme) : undefined;
  if (preset !== undefined) return providerAnswer(preset, response);
  if (flow?.batch !== undefined) return batchAnswer(response);
  return negotiateAnswer(response, accept, typeof prefer === 'string' ? prefer : undefined);
}

/** Empty when the connection has closed already: Node forgets its address then. */
function clientIpOf(request: FastifyRequest): string {
  return (request.ip as string | undefined) ?? '';
}
