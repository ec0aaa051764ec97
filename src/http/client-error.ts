// Answers bytes that Node could not parse as a request: invalid HTTP, heads that are too large, requests that are too slow.
// Node passes the bare socket, so the answer is written by hand, with the common error body.

import { maxHeaderSize, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../errors.ts';
import type { RefusedTrigger } from './trigger/rejections/rejection-entries.ts';
import { triggerPathOf } from './trigger/trigger-path.ts';

type UnreadableTrigger = Pick<RefusedTrigger, 'method' | 'path' | 'clientIp'>;

interface Answer {
  status: string;
  code: string;
  message: string;
}

/** Node adds the bytes that it was parsing; Fastify's type omits them. */
type ClientError = NodeJS.ErrnoException & { reason?: string; rawPacket?: unknown };

/** Calls `refuse` for a trigger whose URL is invalid. Its answer has the body of every refused trigger. */
export function answerClientError(
  error: ClientError,
  socket: Socket,
  requestId: string,
  refuse: (fault: AppError, trigger: UnreadableTrigger) => void,
): void {
  const response = (socket as SocketOfServer)._httpMessage;
  if (response?.req.complete === true) {
    // The bytes followed a complete request whose answer is in flight: the caller must not mistake this error for it.
    response.once('finish', () => socket.destroy());
    return;
  }
  if (error.code === 'ECONNRESET' || !socket.writable || response?.headersSent === true) {
    socket.destroy();
    return;
  }
  const trigger = unreadableTrigger(error, socket);
  const { status, code, message } = trigger === null ? describe(error) : { ...describe(error), message: NOT_ASCII };
  if (trigger !== null) refuse(new AppError('invalid', message), trigger);
  const body = JSON.stringify({
    ...(trigger === null ? {} : { triggered: false, run_id: null, message }),
    error: { code, message },
    request_id: requestId,
  });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // Further bytes are not read: the start of a next request cannot be found.
  socket.destroySoon();
}

const NOT_ASCII = 'the request is malformed: the URL has non-ASCII bytes; percent-encode them as UTF-8';

/** Null when the URL is not the fault, or not a trigger's. */
function unreadableTrigger({ code, rawPacket }: ClientError, socket: Socket): UnreadableTrigger | null {
  if (code !== 'HPE_INVALID_URL' || !Buffer.isBuffer(rawPacket)) return null;
  const [, method, url] = /^([A-Z]+) ([^ \r\n]+)/.exec(rawPacket.toString('latin1', 0, maxHeaderSize)) ?? [];
  const path = method === undefined || url === undefined || !NON_ASCII.test(url) ? null : triggerPathOf(url);
  return path === null ? null : { method: method as string, path, clientIp: socket.remoteAddress ?? '' };
}

const NON_ASCII = /[\x80-\xff]/;

/** Node keeps the response in flight on its socket, and its own error handler reads it there too. */
type SocketOfServer = Socket & { _httpMessage?: ServerResponse | null };

function describe({ code, reason }: ClientError): Answer {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: '431 Request Header Fields Too Large',
        code: 'too_large',
        message: `the request line and headers are larger than the ${maxHeaderSize} bytes that the server accepts`,
      };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: '413 Payload Too Large', code: 'too_large', message: 'the chunk extensions of the body are too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: '408 Request Timeout', code: 'request_timeout', message: 'the request was not complete in time' };
    default:
      return {
        status: '400 Bad Request',
        code: 'invalid',
        message: `the request is not well-formed HTTP/1.1${reason === undefined ? '' : `: ${reason}`}`,
      };
  }
}
