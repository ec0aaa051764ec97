// What the caller of a sink sees of its run: the lookup and the resumable stream. Whoever holds the sink's token may
// read; for a public sink the unguessable id is the right. The admin token opens both.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog } from '../../definitions/catalog.ts';
import { AppError } from '../../errors.ts';
import type { Storage } from '../../storage/storage.ts';
import { hashToken } from '../../token.ts';
import type { RequireToken } from '../authenticate.ts';
import { type EventStreams, streamHeaders } from '../event-streams.ts';
import { presentRun } from '../presenters.ts';
import type { MaskSecrets } from '../shown-secrets.ts';

export interface RunRouteDependencies {
  storage: Storage;
  catalog: Catalog;
  streams: EventStreams;
  requireToken: RequireToken;
  adminToken: string;
  maskSecrets: MaskSecrets;
}

const params = { type: 'object', properties: { run_id: { type: 'string', description: 'as the X-Run-Id header gave it' } } } as const;

export function runRoutes(server: FastifyInstance, dependencies: RunRouteDependencies): void {
  const { storage, catalog, streams, requireToken, adminToken, maskSecrets } = dependencies;
  const adminHash = hashToken(adminToken);

  /** A sink that was deleted takes its tokens with it; its runs are the administrator's then. */
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
      const run = await storage.getRun(request.params.run_id);
      if (run === null) throw unknownRun();
      await requireReader(request, reply, run.sinkId);
      return presentRun(run, maskSecrets);
    },
  );

  server.get<{ Params: { run_id: string }; Querystring: { after?: string } }>(
    '/runs/:run_id/events',
    {
      schema: {
        tags: ['runs'],
        summary: 'Stream the events of a run',
        description: 'Replays the events after `Last-Event-ID` or `after`, then follows the run live.',
        params,
        querystring: { type: 'object', properties: { after: { type: 'string', description: 'seq of the last event that you have' } } },
      },
    },
    async (request, reply) => {
      const after = readAfter(request);
      const stored = await storage.readEvents(request.params.run_id, Number.MAX_SAFE_INTEGER);
      if (stored === null) throw unknownRun();
      await requireReader(request, reply, stored.sinkId);
      startStream(reply, streams, request.params.run_id, after);
    },
  );
}

export function unknownRun(): AppError {
  return new AppError('not_found', 'there is no such run; it may have been removed by retention');
}

export function startStream(reply: FastifyReply, streams: EventStreams, runId: string, after: number): void {
  reply.hijack();
  reply.raw.writeHead(200, streamHeaders(runId));
  reply.raw.flushHeaders();
  streams.follow(reply.raw, runId, after);
}

/** `Last-Event-ID` wins over `?after=`: a browser that reconnects keeps the URL and adds the header. */
export function readAfter({ raw, query }: FastifyRequest): number {
  const header = raw.headers['last-event-id'];
  const text = typeof header === 'string' && header !== '' ? header : ((query as { after?: string }).after ?? '0');
  if (!/^\d{1,15}$/.test(text))
    throw new AppError('invalid', 'Last-Event-ID, or ?after=, must be the whole number of an event that you have seen');
  return Number(text);
}
