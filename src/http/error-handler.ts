// Turns errors into HTTP answers, with the only table of codes and statuses and the only error body. The text of an
// unexpected error goes to the log, never to the caller.

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { isPageWanted } from '../core/sink/response/response-mode.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { sendFormFault } from './trigger/forms/form-answer.ts';
import type { TriggerTarget } from './trigger/trigger-target.ts';

const STATUS: Record<ErrorCode, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media: 415,
  range_not_satisfiable: 416,
  unprocessable: 422,
  rate_limited: 429,
  dispatch_failed: 500,
  unavailable: 503,
};

const CODE_OF_STATUS = new Map(Object.entries(STATUS).map(([code, status]) => [status, code as ErrorCode]));

export function statusOf(code: ErrorCode): number {
  return STATUS[code];
}

/** When a request is refused with more of its body unread, the connection is closed instead of reading the rest. */
const MAX_DRAINED_BYTES = 65_536;

/** `isTrigger` overrides the route's own setting. */
export type SendError = (error: unknown, request: FastifyRequest, reply: FastifyReply, isTrigger?: boolean) => void;

export function createSendError(logger: Logger): SendError {
  return (error, request, reply, isTrigger = request.routeOptions.config.isTrigger === true) => {
    const fault = toAppError(error, request.routeOptions.bodyLimit, isTrigger);
    const status = fault === null ? 500 : STATUS[fault.code];
    if (fault === null) logger.error({ err: error, request_id: request.id }, 'a request failed unexpectedly');
    const code = fault?.code ?? (isTrigger ? 'dispatch_failed' : 'internal');
    const message = fault?.message ?? 'internal error; the log has the details under this request_id';
    if (fault?.retryAfterSeconds !== undefined) reply.header('retry-after', String(fault.retryAfterSeconds));
    for (const [name, value] of Object.entries(fault?.headers ?? {})) reply.header(name, value);
    if (hasLargeUnreadBody(request)) reply.header('connection', 'close');
    const form = isTrigger ? (request.target as TriggerTarget | null)?.sink.response : undefined;
    if (form?.mode === 'form' && isPageWanted(request.raw.headers)) return sendFormFault(request, reply, form, { status, code, message });
    reply.code(status).send({
      ...(isTrigger ? { triggered: false, run_id: null, message } : {}),
      error: { code, message, ...fault?.details },
      request_id: request.id,
    });
  };
}

function hasLargeUnreadBody({ raw }: FastifyRequest): boolean {
  if (raw.complete) return false;
  return raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > MAX_DRAINED_BYTES;
}

const MALFORMED_TYPE = 'the Content-Type header is malformed; write a media type, such as application/json';

/** Returns the error to show to the caller. Null when the caller did not cause it. */
function toAppError(error: unknown, bodyLimit: number, isTrigger: boolean): AppError | null {
  if (error instanceof AppError) return error;
  const { code, statusCode, message } = error as FastifyError;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new AppError('unsupported_media', isTrigger ? MALFORMED_TYPE : 'the body must be JSON: send "Content-Type: application/json"');
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new AppError('too_large', `the body is larger than the ${bodyLimit} bytes that the admin API accepts`);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new AppError(CODE_OF_STATUS.get(statusCode) ?? 'invalid', message);
  return null;
}
