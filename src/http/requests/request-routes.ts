// Admin routes for received requests as they came: the live stream of a sink's, and the body of one.

import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../clock.ts';
import { parseRunId } from '../../core/run/run-id.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../files/blobs.ts';
import type { EventStreams } from '../streams/event-streams.ts';
import { unknownRun } from '../streams/run-routes.ts';
import type { StoredReads } from '../streams/stored-reads.ts';
import { RequestStream, type RequestStreamTools, runIdAt } from './request-stream.ts';
import { bodyOfRequest } from './stored-body.ts';

export interface RequestRouteDependencies extends RequestStreamTools {
  definitions: Pick<DefinitionService, 'findSink'>;
  streams: EventStreams;
  reads: StoredReads;
  blobs: Pick<BlobStore, 'read'>;
  /** Server time. */
  clock: Clock;
}

export function requestRoutes(server: FastifyInstance, dependencies: RequestRouteDependencies): void {
  streamRoute(server, dependencies);
  bodyRoute(server, dependencies);
}

function streamRoute(server: FastifyInstance, dependencies: RequestRouteDependencies): void {
  const { definitions, streams, clock } = dependencies;
  server.get<{ Params: { app_id: string; sink_id: string } }>(
    '/apps/:app_id/sinks/:sink_id/requests/events',
    {
      schema: {
        tags: ['sinks'],
        summary: 'Stream the requests of a sink live',
        description: 'Each event has a run id as its id. With `Last-Event-ID`, the requests since then come first; some may come again.',
      },
    },
    (request, reply) => {
      const { app_id: appId, sink_id: sinkId } = request.params;
      definitions.findSink(appId, sinkId);
      const after = readPosition(request.headers['last-event-id']);
      const { raw } = reply;
      reply.hijack();
      raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
      if (request.method === 'HEAD') return void raw.end();
      raw.flushHeaders();
      streams.keep(raw, (onStop) => new RequestStream(dependencies, raw, { sinkId, after, start: runIdAt(clock()) }, onStop));
    },
  );
}

function bodyRoute(server: FastifyInstance, { reads, unsent, blobs }: RequestRouteDependencies): void {
  server.get<{ Params: { run_id: string } }>(
    '/runs/:run_id/body',
    { schema: { tags: ['runs'], summary: "Get the body of a run's request, byte for byte; a multipart form is written again" } },
    async ({ params }, reply) => {
      const run = await reads.run(params.run_id);
      if (run === null) throw unknownRun();
      const { content, type } = bodyOfRequest(run.value, blobs.read);
      reply.headers({ 'content-type': type ?? 'application/octet-stream', 'x-content-type-options': 'nosniff' });
      if (Buffer.isBuffer(content)) {
        unsent.send(reply, content, run.reservedBytes);
        return reply;
      }
      reads.release(run.reservedBytes);
      return reply.send(content);
    },
  );
}

/** Null without a header. Throws `invalid`. */
function readPosition(header: string | string[] | undefined): string | null {
  const text = String(header ?? '');
  if (text === '') return null;
  if (parseRunId(text) === null) throw new AppError('invalid', 'Last-Event-ID: must be the id of an event of this stream');
  return text;
}
