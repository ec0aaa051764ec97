// Sends stored bytes, whole or the range that the caller asks for, piece by piece. A reader without progress is disconnected.

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MemoryAccount } from '../../../memory-budget.ts';
import { MAX_STALLED_MS, MAX_UNSENT_BYTES } from '../../streams/unsent-answers.ts';
import { readRange } from './byte-range.ts';

/** Bytes of a known number. */
export interface ByteSource {
  size: number;
  /** The most bytes that are read at once, unless they are few or in memory already. */
  sliceBytes: number;
  /** The bytes from `from` to before `end`. */
  pieces(from: number, end: number): AsyncIterable<Uint8Array>;
}

const MAX_WAIT_MS = 10_000;
/** A slice comes from another thread. */
const SLICE_COPIES = 2;

/** The bytes are no page of this server, whatever is in them. Later headers may say more. */
export function asAttachment(reply: FastifyReply): FastifyReply {
  return reply.headers({ 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' });
}

/** Answers 206 to a request with a `Range`. Rejects if the first piece cannot be read, or with `range_not_satisfiable`. */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  { size, sliceBytes, pieces }: ByteSource,
  account: MemoryAccount,
): Promise<FastifyReply> {
  const range = request.method === 'GET' ? readRange(request.headers, size) : null;
  const { from, end } = range ?? { from: 0, end: size };
  const headers = { 'accept-ranges': 'bytes', 'content-length': end - from };
  if (request.method === 'HEAD') return sendHead(reply.headers(headers));
  await reserveUntilClosed(reply.raw, account, SLICE_COPIES * Math.min(sliceBytes, end - from));
  const iterator = pieces(from, end)[Symbol.asyncIterator]();
  const first = await iterator.next();
  reply.headers(headers);
  if (range !== null) reply.code(206).header('content-range', `bytes ${from}-${end - 1}/${size}`);
  reply.raw.setTimeout(MAX_STALLED_MS, () => reply.raw.destroy());
  return reply.send(Readable.from(piecesFrom(first, iterator), { objectMode: false }));
}

/** Fastify would read the whole of a stream to answer a HEAD. */
function sendHead(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | number>);
  reply.raw.end();
  return reply;
}

async function* piecesFrom(first: IteratorResult<Uint8Array>, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Reserves memory for an answer until its connection needs it no more. Rejects with `unavailable`. */
export async function reserveUntilClosed(response: ServerResponse, account: MemoryAccount, bytes: number): Promise<void> {
  if (bytes <= MAX_UNSENT_BYTES) return;
  await account.reserveSerially(bytes, MAX_WAIT_MS);
  if (response.destroyed) account.release(bytes);
  else response.once('close', () => account.release(bytes));
}

/** Yields bytes in pieces, so that few of them wait in the connection. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += MAX_UNSENT_BYTES) yield bytes.subarray(at, at + MAX_UNSENT_BYTES);
}
