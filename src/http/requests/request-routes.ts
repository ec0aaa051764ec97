// Admin route for the live stream of the requests of a sink.

import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../clock.ts';
import { parseRunId } from '../../core/run/run-id.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';
import { AppError } from '../../errors.ts';
import type { EventStreams } from '../streams/event-streams.ts';
import { RequestStream, type RequestStreamTools, runIdAt } from './request-stream.ts';

export interface RequestRouteDependencies extends RequestStreamTools {
  definitions: Pick<DefinitionService, 'findSink'>;
  streams: EventStreams;
  /** Server time. */
  clock: Clock;
}

export function requestRoutes(server: FastifyInstance, dependencies: RequestRouteDependencies): void {
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

/** Null without a header. Throws `invalid`. */
function readPosition(header: string | string[] | undefined): string | null {
  const text = String(header ?? '');
  if (text === '') return null;
  if (parseRunId(text) === null) throw new AppError('invalid', 'Last-Event-ID: must be the id of an event of this stream');
  return text;
}
