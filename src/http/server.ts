// The HTTP server: limits, plugins and routes in one place. All its dependencies are passed as arguments.

import { randomBytes } from 'node:crypto';
import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { parseJsonWithUniqueKeys, stringifyJson } from '../core/json/json.ts';
import { TRUSTED_SCHEMAS } from '../core/schema.ts';
import { requestPathFault } from '../core/sink/sink-path.ts';
import type { Catalog } from '../definitions/catalog.ts';
import type { DefinitionService } from '../definitions/definition-service.ts';
import type { Engine } from '../engine/engine.ts';
import type { RunFeed } from '../engine/run-feed.ts';
import { AppError } from '../errors.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { DiskFloor } from '../files/disk-floor.ts';
import type { Logger } from '../logger.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Storage } from '../storage/storage.ts';
import { hashToken } from '../token.ts';
import { definitionRoutes } from './admin/definitions.ts';
import { deliveryRoutes } from './admin/deliveries.ts';
import { adminRunRoutes } from './admin/runs.ts';
import type { MaskSecrets } from './admin/shown-secrets.ts';
import { sinkRoutes } from './admin/sinks.ts';
import { workflowLanguageRoutes } from './admin/workflow-language.ts';
import { createRequireToken } from './authenticate.ts';
import { textOfJson } from './body/decode-body.ts';
import { parseJsonBody } from './body/json-body.ts';
import { createPayloadIntake } from './body/payload-intake.ts';
import { answerClientError } from './client-error.ts';
import { createSendError } from './error-handler.ts';
import { answerHalfClosed } from './half-closed.ts';
import { healthRoutes } from './health.ts';
import { createEventStreams } from './streams/event-streams.ts';
import { runRoutes } from './streams/run-routes.ts';
import { createRunWaiter } from './streams/run-waiter.ts';
import { createStoredReads } from './streams/stored-reads.ts';
import { UnsentAnswers } from './streams/unsent-answers.ts';
import { createAnswerTrigger } from './trigger/answer.ts';
import { createRejectionLog, refusalOf } from './trigger/rejection-log.ts';
import { createTokenBuckets } from './trigger/token-bucket.ts';
import { triggerPathOf } from './trigger/trigger-path.ts';
import { triggerRoutes } from './trigger/trigger-route.ts';

export interface ServerDependencies {
  storage: Storage;
  blobs: BlobStore;
  disk: DiskFloor;
  catalog: Catalog;
  definitions: DefinitionService;
  engine: Engine;
  feed: RunFeed;
  /** Server time, for expiry and rate limits. */
  clock: Clock;
  /** For times shown to callers, and for the age of files. */
  wallClock: Clock;
  logger: Logger;
  memory: MemoryBudget;
  adminToken: string;
  maskSecrets: MaskSecrets;
  trustProxy: boolean | string[];
  /** Requests per second to one sink from one address; 0 turns the limit off. */
  rateLimit: number;
  /** Public address; null for the address that the server listens on. */
  baseUrl: string | null;
  version: string;
}

export interface HttpServer {
  fastify: FastifyInstance;
  /** Resolves to the address as a URL. */
  listen(host: string, port: number): Promise<string>;
  /** Refuses new runs and connections; open streams continue. */
  stopAccepting(): void;
  /** Ends open streams and connections. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 72_000;
const CHECK_CONNECTIONS_EVERY_MS = 2000;
const MAX_CONNECTIONS = 16_000;
/** Time for answers in flight to finish when the server closes. */
const CLOSE_GRACE_MS = 500;
const MAX_ADMIN_BODY_BYTES = 4 * 2 ** 20;
const ADMIN_BODY_TYPES = ['application/json', 'application/merge-patch+json'];

export async function createServer(dependencies: ServerDependencies): Promise<HttpServer> {
  const { storage, blobs, disk, catalog, definitions, engine, feed, clock, wallClock, logger, maskSecrets } = dependencies;
  let isStopping = false;
  let listenUrl = '';
  const baseUrl = (): string => dependencies.baseUrl ?? listenUrl;
  const newRequestId = createRequestIds();
  const sendError = createSendError(logger);

  const fastify = Fastify({
    // Fastify's logger would listen to every answer; the server logs by itself.
    logger: false,
    trustProxy: dependencies.trustProxy,
    bodyLimit: MAX_ADMIN_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_CONNECTIONS_EVERY_MS },
    exposeHeadRoutes: true,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 4096, ignoreDuplicateSlashes: false },
    frameworkErrors: refuseUnrouted,
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket, newRequestId(), (fault, trigger) => rejections.add(refusalOf(fault, trigger))),
    genReqId: newRequestId,
  }) as unknown as FastifyInstance;
  fastify.server.maxConnections = MAX_CONNECTIONS;
  answerHalfClosed(fastify.server);

  fastify.setErrorHandler(sendError);
  fastify.setNotFoundHandler((request, reply) =>
    sendError(new AppError('not_found', `there is nothing at ${request.method} ${pathOf(request.url)}`), request, reply),
  );
  // Query strings are text, so their values are coerced. Bodies are validated as definitions, with better messages.
  const ajv = new Ajv({ ...TRUSTED_SCHEMAS, coerceTypes: true, useDefaults: true, removeAdditional: false, allErrors: false });
  fastify.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? () => true : ajv.compile(schema as object)));
  fastify.setSerializerCompiler(() => stringifyJson);
  fastify.setReplySerializer(stringifyJson);

  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sluice', version: dependencies.version, description: 'HTTP sinks that start durable workflow runs.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });

  const requireToken = await createRequireToken(fastify, clock);
  const { memory } = dependencies;
  const unsent = new UnsentAnswers(memory.answers);
  const reads = createStoredReads(storage, memory.answers);
  const streams = createEventStreams({ reads, feed, unsent });
  const rejections = createRejectionLog(storage, clock, logger);
  const answerTrigger = createAnswerTrigger({
    storage,
    streams,
    waitForEnd: createRunWaiter(reads, feed),
    unsent,
    renderLarge: engine.renderLarge,
  });
  const adminHashes = [hashToken(dependencies.adminToken)];

  function refuseWhenFull(): void {
    if (isStopping)
      throw new AppError('unavailable', 'the server is shutting down; try again', {
        retryAfterSeconds: 5,
        headers: { connection: 'close' },
      });
    disk.refuseWhenLow();
  }

  /** Fastify finds no route for a path that it cannot decode; most likely it was meant as a trigger. */
  function refuseUnrouted(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
    const path = triggerPathOf(request.raw.url as string);
    if (path === null) return sendError(error, request, reply);
    const fault = new AppError('invalid', `the request is malformed: ${requestPathFault(path) ?? error.message}`);
    rejections.add(refusalOf(fault, { method: request.method, path, clientIp: request.ip }));
    sendError(fault, request, reply, true);
  }

  healthRoutes(fastify, { storage, disk, memory, isStopping: () => isStopping });
  runRoutes(fastify, { storage, reads, unsent, catalog, streams, requireToken, adminToken: dependencies.adminToken, maskSecrets });
  fastify.get('/api/v1/openapi.json', { schema: { tags: ['api'], summary: 'This description' } }, () => fastify.swagger());

  await fastify.register(
    (admin, _options, done) => {
      admin.addHook('onRequest', (request, reply, next) => requireToken(request, reply, adminHashes, next));
      admin.removeAllContentTypeParsers();
      admin.addContentTypeParser(ADMIN_BODY_TYPES, { parseAs: 'buffer' }, (_request, bytes, next) => parseAdminBody(bytes as Buffer, next));
      definitionRoutes(admin, { definitions, catalog, storage });
      sinkRoutes(admin, { definitions, catalog, baseUrl });
      workflowLanguageRoutes(admin, { definitions });
      adminRunRoutes(admin, { storage, reads, unsent, blobs, catalog, engine, streams, wallClock, maskSecrets });
      deliveryRoutes(admin, { storage, engine, maskSecrets });
      done();
    },
    { prefix: '/api/v1' },
  );

  const payloads = createPayloadIntake(blobs);
  const { rateLimit: perSecond } = dependencies;
  const rateLimit = perSecond === 0 ? null : createTokenBuckets(clock, perSecond, perSecond);
  triggerRoutes(fastify, {
    catalog,
    engine,
    blobs,
    payloads,
    memory,
    wallClock,
    requireToken,
    answerTrigger,
    rejections,
    rateLimit,
    refuseWhenFull,
  });

  return {
    fastify,
    async listen(host, port) {
      listenUrl = await fastify.listen({ host, port });
      return listenUrl;
    },
    stopAccepting() {
      isStopping = true;
      fastify.server.close();
      fastify.server.closeIdleConnections();
    },
    async close() {
      isStopping = true;
      streams.closeAll();
      // A silent connection, or one whose request never ends, would block closing for ever: Node stops its own time limits
      // once the server closes.
      const cut = setTimeout(() => fastify.server.closeAllConnections(), CLOSE_GRACE_MS);
      await fastify.close();
      clearTimeout(cut);
      await payloads.close();
      await rejections.close();
    },
  };
}

function parseAdminBody(bytes: Buffer, next: (error: Error | null, value?: unknown) => void): void {
  try {
    next(null, bytes.length === 0 ? null : parseJsonBody(textOfJson(bytes, null), parseJsonWithUniqueKeys));
  } catch (error) {
    next(error as Error);
  }
}

/** Ids are unique across restarts, so that the id in an answer finds its log lines. */
function createRequestIds(): () => string {
  const ofProcess = randomBytes(4).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return `req_${ofProcess}${count.toString(36)}`;
  };
}

function pathOf(url: string): string {
  return url.split('?')[0] as string;
}
