// Creates the Fastify instance: limits, JSON, error answers, and the description of the API.

import { randomBytes } from 'node:crypto';
import swagger from '@fastify/swagger';
import { Ajv, type ValidateFunction } from 'ajv';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { stringifyJson } from '../core/json/json.ts';
import { TRUSTED_SCHEMAS } from '../core/schema.ts';
import { requestPathFault } from '../core/sink/sink-path.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { answerClientError } from './client-error.ts';
import { createSendError, type SendError } from './error-handler.ts';
import { answerHalfClosed } from './half-closed.ts';
import { type RejectionLog, refusalOf } from './trigger/rejections/rejection-log.ts';
import { triggerPathOf } from './trigger/trigger-path.ts';

export interface FastifyParts {
  trustProxy: boolean | string[];
  version: string;
  rejections: RejectionLog;
  logger: Logger;
}

const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 72_000;
const CHECK_CONNECTIONS_EVERY_MS = 2000;
const MAX_CONNECTIONS = 16_000;
const MAX_ADMIN_BODY_BYTES = 4 * 2 ** 20;

export async function createFastify({ trustProxy, version, rejections, logger }: FastifyParts): Promise<FastifyInstance> {
  const newRequestId = createRequestIds();
  const sendError = createSendError(logger);
  const fastify = Fastify({
    // Fastify's logger would listen to every answer; the server logs by itself.
    logger: false,
    trustProxy,
    bodyLimit: MAX_ADMIN_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_CONNECTIONS_EVERY_MS },
    exposeHeadRoutes: true,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 4096, ignoreDuplicateSlashes: false },
    frameworkErrors: (error, request, reply) => refuseUnrouted(error, request, reply, rejections, sendError),
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
  useJson(fastify);
  await describeApi(fastify, version);
  return fastify;
}

function useJson(fastify: FastifyInstance): void {
  // Query strings are text, so their values are coerced. Bodies are validated as definitions, with better messages.
  const ajv = new Ajv({ ...TRUSTED_SCHEMAS, coerceTypes: true, useDefaults: true, removeAdditional: false, allErrors: false });
  fastify.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? () => true : compiledLater(ajv, schema as object)));
  fastify.setSerializerCompiler(() => stringifyJson);
  fastify.setReplySerializer(stringifyJson);
}

/** Compiles on first use: the schemas of all routes would be a twentieth of a cold start. */
function compiledLater(ajv: Ajv, schema: object): ValidateFunction {
  let compiled: ValidateFunction | undefined;
  const validate = (value: unknown): boolean => {
    compiled ??= ajv.compile(schema);
    const isValid = compiled(value);
    validate.errors = compiled.errors;
    return isValid;
  };
  validate.errors = null as ValidateFunction['errors'];
  return validate as ValidateFunction;
}

async function describeApi(fastify: FastifyInstance, version: string): Promise<void> {
  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sluice', version, description: 'HTTP sinks that start durable workflow runs.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });
}

/** Fastify finds no route for a path that it cannot decode; most likely it was meant as a trigger. */
function refuseUnrouted(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  rejections: RejectionLog,
  sendError: SendError,
): void {
  const path = triggerPathOf(request.raw.url as string);
  if (path === null) return sendError(error, request, reply);
  const fault = new AppError('invalid', `the request is malformed: ${requestPathFault(path) ?? error.message}`);
  rejections.add(refusalOf(fault, { method: request.method, path, clientIp: request.ip }));
  sendError(fault, request, reply, true);
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
