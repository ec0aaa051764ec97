// The `Last-Event-ID` header (WHATWG HTML, 9.2.4): the seq of the last event that a reader of a stream has seen.

import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';

type RequestHead = Pick<FastifyRequest, 'raw'>;

/** True when the request resumes a stream. */
export function carriesLastEventId({ raw }: RequestHead): boolean {
  return (raw.headers['last-event-id'] ?? '') !== '';
}

/** Null when the header is absent or empty. Throws `invalid` when it is not a seq. */
export function readLastEventId({ raw }: RequestHead): number | null {
  const header = raw.headers['last-event-id'] ?? '';
  return header === '' ? null : readSeq(String(header));
}

/** `Last-Event-ID` wins over `?after=`: a browser that reconnects keeps the URL and adds the header. */
export function readAfter(request: Pick<FastifyRequest, 'raw' | 'query'>): number {
  return readLastEventId(request) ?? readSeq((request.query as { after?: string }).after ?? '0');
}

function readSeq(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new AppError('invalid', 'Last-Event-ID or ?after= must be the id of an event of the stream, a whole number');
  return Number(text);
}
