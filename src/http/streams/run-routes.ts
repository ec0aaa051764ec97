// Routes for the caller of a sink: the lookup of its run and the resumable stream. They need the sink's token or the admin
// token; for a public sink, the unguessable run id is enough, unless many callers have it.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { validHashes } from '../../core/sink/auth/sink-auth.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import { AppError } from '../../errors.ts';
import type { StreamPosition } from '../../storage/runs/run-queries.ts';
import type { Storage } from '../../storage/storage.ts';
import { presentRun } from '../admin/presenters.ts';
import type { MaskSecrets } from '../admin/shown-secrets.ts';
import type { RequireToken } from '../authenticate.ts';
import { allowOrigin, answerPreflight, preflightMethod } from '../cors.ts';
import type { EventStreams } from './event-streams.ts';
import { readAfter } from './last-event-id.ts';
import { resumeStream } from './resume-stream.ts';
import type { StoredReads } from './stored-reads.ts';
import type { UnsentAnswers } from './unsent-answers.ts';

export interface RunRouteDependencies {
  storage: Pick<Storage, 'findStream'>;
  reads: StoredReads;
  unsent: UnsentAnswers;
  catalog: Catalog;
  streams: EventStreams;
  requireToken: RequireToken;
  /** Hash of the admin token. */
  adminHash: string;
  wallClock: Clock;
  maskSecrets: MaskSecrets;
}

interface RunRequest {
  Params: { run_id: string };
}

const params = { type: 'object', properties: { run_id: { type: 'string', description: 'as the X-Run-Id header gave it' } } } as const;

export function runRoutes(server: FastifyInstance, dependencies: RunRouteDependencies): void {
  lookUpRoute(server, dependencies);
  eventsRoute(server, dependencies);
  for (const path of ['/runs/:run_id', '/runs/:run_id/events']) preflightRoute(server, path, dependencies);
}

/** The sink of the run says which origins may read it. */
function preflightRoute(server: FastifyInstance, path: string, { storage, catalog }: RunRouteDependencies): void {
  server.options<RunRequest>(path, { schema: { hide: true } }, async (request, reply) => {
    const isPreflight = preflightMethod(request as FastifyRequest) === 'GET';
    const position = isPreflight ? await storage.findStream(request.params.run_id) : null;
    const cors = position === null ? undefined : catalog.findSink(position.sinkId)?.cors;
    if (cors !== undefined) answerPreflight(request as FastifyRequest, reply, cors, 'GET');
    return reply.code(204).header('allow', 'GET, HEAD, OPTIONS').send();
  });
}

function lookUpRoute(server: FastifyInstance, dependencies: RunRouteDependencies): void {
  const { reads, unsent, maskSecrets } = dependencies;
  server.get<RunRequest>(
    '/runs/:run_id',
    { schema: { tags: ['runs'], summary: 'Look up a run', description: "Takes the sink's token, or none for a public sink.", params } },
    async (request, reply) => {
      const { run_id: runId } = request.params;
      await findReadable(request, reply, dependencies);
      const run = await reads.outcome(runId);
      if (run === null) throw unknownRun();
      return sendRun(reply, unsent, presentRun(run.value, maskSecrets), run.reservedBytes);
    },
  );
}

function eventsRoute(server: FastifyInstance, dependencies: RunRouteDependencies): void {
  server.get<RunRequest & { Querystring: { after?: string } }>(
    '/runs/:run_id/events',
    {
      schema: {
        tags: ['runs'],
        summary: 'Stream the events of a run',
        description:
          'Replays the events after `Last-Event-ID` or `after`, then follows the run live. 204 when the run has ended and none follows.',
        params,
        querystring: { type: 'object', properties: { after: { type: 'string', description: 'seq of the last event that you have' } } },
      },
    },
    async (request, reply) => {
      const after = readAfter(request);
      const position = await findReadable(request, reply, dependencies);
      resumeStream(reply, dependencies.streams, { runId: request.params.run_id, position, after });
    },
  );
}

/** Rejects with `not_found`, or `unauthorized`. Runs of a deleted sink, and batches of a public one, need the admin token. */
async function findReadable(
  request: FastifyRequest<RunRequest>,
  reply: FastifyReply,
  { storage, catalog, requireToken, adminHash, wallClock }: RunRouteDependencies,
): Promise<StreamPosition> {
  const position = await storage.findStream(request.params.run_id);
  if (position === null) throw unknownRun();
  const sink = catalog.findSink(position.sinkId);
  if (sink?.cors !== undefined) allowOrigin(request as FastifyRequest, reply, sink.cors);
  const auth = sink?.auth;
  if (auth?.type === 'none' && !position.isBatch) return position;
  const hashes = auth?.type === 'bearer' ? [...validHashes(auth.tokens, wallClock()), adminHash] : [adminHash];
  await new Promise<void>((resolve, reject) => {
    requireToken(request as FastifyRequest, reply, hashes, (error) => (error === undefined ? resolve() : reject(error)));
  });
  return position;
}

export function sendRun(reply: FastifyReply, unsent: UnsentAnswers, document: string, reservedBytes: number): FastifyReply {
  unsent.send(reply.header('content-type', 'application/json; charset=utf-8'), document, reservedBytes);
  return reply;
}

export function unknownRun(): AppError {
  return new AppError('not_found', 'there is no such run; it may have been removed by retention');
}
