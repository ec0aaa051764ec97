// The three trigger routes. Each request takes the same path: match the sink, check the rate, verify the token from the
// head, read the body within its limits, start the run, answer.

import { METHODS as HTTP_METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Clock } from '../../clock.ts';
import { negotiateAnswer } from '../../core/sink/response-mode.ts';
import { requestPathFault } from '../../core/sink/sink-path.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../files/blobs.ts';
import type { MemoryBudget } from '../../memory-budget.ts';
import type { RequireToken } from '../authenticate.ts';
import { BodyMemory } from '../body/body-memory.ts';
import type { PayloadIntake } from '../body/payload-intake.ts';
import { carriesLastEventId } from '../streams/last-event-id.ts';
import type { TriggerAnswers } from './answer.ts';
import { mayCarryKey, messageIdOf, readIdempotency } from './idempotency.ts';
import { type RejectionLog, refusalOf } from './rejection-log.ts';
import { createSinkRouter, type SinkMatch, type SinkRouter } from './sink-router.ts';
import { startRun } from './start-run.ts';
import type { TokenBuckets } from './token-bucket.ts';
import { readTriggerInput, type TriggerInput, type TriggerTarget } from './trigger-input.ts';
import { splitUrl, TRIGGER_PREFIXES } from './trigger-path.ts';
import { webhookPermission } from './webhook-permission.ts';

declare module 'fastify' {
  interface FastifyRequest {
    target: TriggerTarget;
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
  requireToken: RequireToken;
  answers: TriggerAnswers;
  rejections: RejectionLog;
  /** Null: no limit. */
  rateLimit: TokenBuckets | null;
  /** Throws `unavailable` while the server should take no new runs. */
  refuseWhenFull: () => void;
}

/** All methods are routed, so that a method that no sink accepts is answered with those that are accepted. */
const METHODS = HTTP_METHODS.filter((method) => method !== 'CONNECT');

export function triggerRoutes(server: FastifyInstance, dependencies: TriggerDependencies): void {
  const route = new TriggerRoute(dependencies);
  server.decorateRequest('target', null as unknown as TriggerTarget);
  for (const method of METHODS) if (!server.supportedMethods.includes(method)) server.addHttpMethod(method);
  for (const prefix of TRIGGER_PREFIXES) registerUnder(prefix, server, route);
}

/**
 * The last hook starts the run and answers, so Fastify never looks for a body parser. It would answer 415 to a Content-Type
 * that is empty or not a media type, although the sink decides how its body is read. The reason is not speed: with a parser
 * that reads nothing, the rate at 64 connections is the same (1.00 of it, by `npm run bench -- --against`).
 */
function registerUnder(triggerPrefix: string, server: FastifyInstance, route: TriggerRoute): void {
  server.route({
    method: METHODS,
    url: `${triggerPrefix}/*`,
    schema: { hide: true },
    config: { triggerPrefix, isTrigger: true },
    onRequest: [
      (request, reply, done) => route.findSink(triggerPrefix, request, reply, done),
      (request, _reply, done) => route.checkRate(request, done),
      (request, reply, done) => route.verifyToken(request, reply, done),
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
    const [path, query] = splitUrl(request.raw.url as string, prefix);
    const fault = requestPathFault(path);
    if (fault !== null) return done(new AppError('invalid', `the request is malformed: ${fault}`));
    const match = this.#router.match(request.method, path);
    if (match.kind === 'none') return done(new AppError('not_found', `no sink found for ${request.method} ${path}`));
    if (match.kind === 'other_methods') return answerOtherMethod(request, reply, match, done);
    const { sink, params } = match;
    const endOfApp = path.indexOf('/', 1);
    request.target = { sink, params, path: endOfApp === -1 ? '/' : path.slice(endOfApp), query, clientIp: clientIpOf(request) };
    done();
  }

  checkRate(request: FastifyRequest, done: HookHandlerDoneFunction): void {
    const retryAfterSeconds = this.#parts.rateLimit?.take(`${request.target.sink.id} ${request.target.clientIp}`) ?? null;
    if (retryAfterSeconds === null) done();
    else done(new AppError('rate_limited', 'too many requests to this sink from this address', { retryAfterSeconds }));
  }

  verifyToken(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { auth } = request.target.sink;
    if (auth.type === 'none') done();
    else this.#parts.requireToken(request, reply, auth.tokenHashes, done);
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // A reconnecting stream must not start a run. Without a key there is no run to join, and 204 makes an EventSource stop.
    if (carriesLastEventId(request) && !mayCarryKey(request)) return void reply.code(204).send();
    const { engine, blobs, payloads, memory, wallClock, answers, refuseWhenFull } = this.#parts;
    refuseWhenFull();
    const { target } = request;
    const { sink } = target;
    const { accept, prefer } = request.raw.headers;
    const answer = negotiateAnswer(sink.response, accept, typeof prefer === 'string' ? prefer : undefined);
    const bodyMemory = new BodyMemory(memory, request.raw);
    try {
      let input: TriggerInput | null = await readTriggerInput(request, target, { blobs, payloads, bodyMemory, now: wallClock() });
      const message = sink.idempotencyKey === undefined ? null : await messageIdOf(sink, input, engine.renderLarge);
      const idempotency = readIdempotency(request, input, message);
      if (idempotency === null && carriesLastEventId(request)) return void reply.code(204).send();
      const run = await startRun(this.#parts, sink, input, idempotency);
      // The run is on disk: the body is released before waiting for its end, unless a custom answer is made from it.
      if (answer.response.mode !== 'custom') {
        input = null;
        bodyMemory.release();
      }
      await answers.send(reply, answer, run, input);
    } finally {
      bodyMemory.release();
    }
  }

  recordRejection(request: FastifyRequest, error: Error, done: () => void): void {
    if (error instanceof AppError) {
      const [path] = splitUrl(request.raw.url as string, request.routeOptions.config.triggerPrefix as string);
      const { method, target } = request;
      const clientIp = target?.clientIp ?? clientIpOf(request);
      this.#parts.rejections.add(refusalOf(error, { sinkId: target?.sink.id, method, path, clientIp }));
    }
    done();
  }
}

type OtherMethods = Extract<SinkMatch, { kind: 'other_methods' }>;

/** HEAD succeeds on a path of any method: some services probe a webhook's address with it before they save it. */
function answerOtherMethod(
  request: FastifyRequest,
  reply: FastifyReply,
  { methods, sinks }: OtherMethods,
  done: HookHandlerDoneFunction,
): void {
  const allow = [...methods, 'HEAD', 'OPTIONS'].join(', ');
  if (request.method === 'HEAD') return void reply.code(200).header('allow', allow).send();
  const permission = request.method === 'OPTIONS' ? webhookPermission(request.raw.headers, sinks) : null;
  if (permission !== null)
    return void reply
      .code(200)
      .headers({ ...permission, allow })
      .send();
  if (request.method === 'OPTIONS') return void reply.code(204).header('allow', allow).send();
  done(new AppError('method_not_allowed', `this path accepts ${methods.join(', ')}, not ${request.method}`, { headers: { allow } }));
}

/** Empty when the connection has closed already: Node forgets its address then. */
function clientIpOf(request: FastifyRequest): string {
  return (request.ip as string | undefined) ?? '';
}
