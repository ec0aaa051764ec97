// Opens the stream of a stored run after an event that its reader has seen. The stream of an ended run has nothing
// after its end: asked from there it is 204, which stops an EventSource that would come back for ever.

import type { FastifyReply } from 'fastify';
import type { StreamPosition } from '../../storage/run-records.ts';
import { type EventStreams, streamHeaders } from './event-streams.ts';

export interface Resumption {
  runId: string;
  /** Seq of the last event that the reader has; 0 for none. */
  after: number;
  /** Null where an event is known to follow. */
  position: StreamPosition | null;
  /** Comment that the stream begins with. */
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
