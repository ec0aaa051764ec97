// Sends an empty body chunked, as Python's requests does. undici cannot write one, so these rare requests use Node's own
// client, each on its own connection.

import { type IncomingMessage, request as sendRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Dial } from '../guarded-connector.ts';
import { AnswerHeads } from './answer-heads.ts';
import type { Exchange } from './exchange.ts';
import { flatHeaders } from './message-headers.ts';
import type { WireRequest } from './wire-request.ts';

/** Calls the exchange as undici would. */
export function sendEmptyChunked({ method, url, headers }: WireRequest, dial: Dial, timeoutMs: number, exchange: Exchange): void {
  const isTls = url.protocol === 'https:';
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const onError = (error: unknown): void => exchange.onResponseError(UNCONNECTED, error);
  const send = (socket: Socket): void => {
    const framed = ['Host', url.host, 'Connection', 'close', ...flatHeaders(headers), 'Transfer-Encoding', 'chunked'];
    const request = sendRequest({ createConnection: () => socket, method, path: url.pathname + url.search, headers: framed });
    new AnswerHeads(socket).expect();
    const controller = { abort: (reason: Error): void => void request.destroy(reason) };
    request
      .on('error', onError)
      .on('upgrade', () => onError(UNASKED_UPGRADE))
      .on('response', (response) => readResponse(response, controller, exchange));
    exchange.onRequestStart(controller);
    request.end();
  };
  dial({ hostname, port, isTls, timeoutMs }).then(send).catch(onError);
}

const UNCONNECTED = { abort: (): void => undefined };
const HAS_NO_CONTENT = new Set([204, 205, 304]);
const UNASKED_UPGRADE = Object.assign(new Error('the receiver changes the protocol'), { code: 'UNASKED_UPGRADE' });

function readResponse(response: IncomingMessage, controller: { abort: (reason: Error) => void }, exchange: Exchange): void {
  exchange.onResponseStart(controller, response.statusCode as number, response.headers, response.statusMessage);
  // Bytes after such a head are not part of the answer, and an error for Node.
  if (HAS_NO_CONTENT.has(response.statusCode as number)) exchange.onResponseEnd();
  response
    .on('data', (chunk: Uint8Array) => exchange.onResponseData(controller, chunk))
    .on('end', () => exchange.onResponseEnd())
    .on('error', (error) => exchange.onResponseError(controller, error));
}
