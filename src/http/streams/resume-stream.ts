// Opens the stream of a stored run after the last event that its reader has seen. After the end of a run the answer is
// 204, which stops an EventSource from reconnecting for ever.

import type { FastifyReply } from 'fastify';
import type { StreamPosition } from '../../storage/run-records.ts';
import type { EventStreams } from './event-streams.ts';
import { streamHeaders } from './stream-format.ts';

export interface Resumption {
  runId: string;
  /** Seq of the reader's last event; 0 for none. */
  after: number;
  /** Null when an event is known to follow. */
  position: StreamPosition | null;
  /** A comment to start the stream with. */
  opening?: string;
}

export function resumeStream(reply: FastifyReply, streams: EventStreams, { runId, after, position, opening }: Resumption): void {
  if (position?.ended === true && after >= position.lastSeq) return void reply.code(204).header('x-run-id', runId).send();
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, streamHeaders(runId));
  if (reply.request.method === 'HEAD') return void raw.end();
  if (opening === undefined) raw.flushHeaders();
  else raw.write(opening);
  streams.follow(raw, runId, after);
}
