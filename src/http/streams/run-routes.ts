// Routes for the caller of a sink: the lookup of its run and the resumable stream. They need the sink's token or the admin
// token; for a public sink, the unguessable run id is enough.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog } from '../../definitions/catalog.ts';
import { AppError } from '../../errors.ts';
import type { Storage } from '../../storage/storage.ts';
import { hashToken } from '../../token.ts';
import { presentRun } from '../admin/presenters.ts';
import type { MaskSecrets } from '../admin/shown-secrets.ts';
import type { RequireToken } from '../authenticate.ts';
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
  adminToken: string;
  maskSecrets: MaskSecrets;
}

const params = { type: 'object', properties: { run_id: { type: 'string', description: 'as the X-Run-Id header gave it' } } } as const;

export function runRoutes(server: FastifyInstance, dependencies: RunRouteDependencies): void {
  const { storage, reads, unsent, catalog, streams, requireToken, adminToken, maskSecrets } = dependencies;
  const adminHash = hashToken(adminToken);

  /** Runs of a deleted sink need the admin token. */
  async function requireReader(request: FastifyRequest, reply: FastifyReply, sinkId: string): Promise<void> {
    const auth = catalog.findSink(sinkId)?.auth;
    if (auth?.type === 'none') return;
    const hashes = auth === undefined ? [adminHash] : [...auth.tokenHashes, adminHash];
    await new Promise<void>((resolve, reject) => {
      requireToken(request, reply, hashes, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  server.get<{ Params: { run_id: string } }>(
    '/runs/:run_id',
    { schema: { tags: ['runs'], summary: 'Look up a run', description: "Takes the sink's token, or none for a public sink.", params } },
    async (request, reply) => {
      const { run_id: runId } = request.params;
      const position = await storage.findStream(runId);
      if (position === null) throw unknownRun();
      await requireReader(request, reply, position.sinkId);
      const run = await reads.outcome(runId);
      if (run === null) throw unknownRun();
      return sendRun(reply, unsent, presentRun(run.value, maskSecrets), run.reservedBytes);
    },
  );

  server.get<{ Params: { run_id: string }; Querystring: { after?: string } }>(
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
      const { run_id: runId } = request.params;
      const after = readAfter(request);
      const position = await storage.findStream(runId);
      if (position === null) throw unknownRun();
      await requireReader(request, reply, position.sinkId);
      resumeStream(reply, streams, { runId, position, after });
    },
  );
}

export function sendRun(reply: FastifyReply, unsent: UnsentAnswers, document: string, reservedBytes: number): FastifyReply {
  unsent.send(reply.header('content-type', 'application/json; charset=utf-8'), document, reservedBytes);
  return reply;
}

export function unknownRun(): AppError {
  return new AppError('not_found', 'there is no such run; it may have been removed by retention');
}
