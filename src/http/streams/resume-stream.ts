// Opens the stream of a stored run after the last event that its reader has seen. After the end of a run the answer is
// 204, which stops an EventSource from reconnecting for ever.

import type { FastifyReply } from 'fastify';
import type { StreamPosition } from '../../storage/runs/run-queries.ts';
import type { EventStreams } from './event-streams.ts';
import { streamHeaders } from './stream-format.ts';

/** Marks the answer to a repeated request. */
export const REPLAYED = ['idempotent-replayed', 'true'] as const;

export interface Resumption {
  runId: string;
  /** Seq of the reader's last event; 0 for none. */
  after: number;
  /** Null when an event is known to follow. */
  position: StreamPosition | null;
  /** A repeated request joins the run that the first one started. */
  isRepeated?: boolean;
}

export function resumeStream(reply: FastifyReply, streams: EventStreams, { runId, after, position, isRepeated = false }: Resumption): void {
  const replayed = isRepeated ? REPLAYED : [];
  if (position?.ended === true && after >= position.lastSeq)
    return void reply
      .code(204)
      .headers(Object.fromEntries([['x-run-id', runId], ...(isRepeated ? [REPLAYED] : [])]))
      .send();
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, [...streamHeaders(runId), ...replayed]);
  if (reply.request.method === 'HEAD') return void raw.end();
  if (isRepeated) raw.write(': resuming an earlier run\n\n');
  else raw.flushHeaders();
  streams.follow(raw, runId, after);
}
