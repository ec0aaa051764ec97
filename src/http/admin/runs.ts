// Admin routes for runs: list, get with the request, stream, cancel.

import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EventStreams } from '../streams/event-streams.ts';
import { readAfter } from '../streams/last-event-id.ts';
import { resumeStream } from '../streams/resume-stream.ts';
import { sendRun, unknownRun } from '../streams/run-routes.ts';
import type { StoredReads } from '../streams/stored-reads.ts';
import type { UnsentAnswers } from '../streams/unsent-answers.ts';
import { runListRoute } from './lists/run-list.ts';
import { readHead } from './parts/run-head.ts';
import { presentRunForAdmin } from './presenters.ts';
import type { MaskSecrets } from './shown-secrets.ts';

export interface AdminRunDependencies {
  storage: Storage;
  reads: StoredReads;
  unsent: UnsentAnswers;
  engine: Engine;
  streams: EventStreams;
  maskSecrets: MaskSecrets;
}

interface RunParams {
  run_id: string;
}

/** Per run: each of its steps has at most one. */
const MAX_DELIVERIES = 1000;

const getQuery = {
  type: 'object',
  properties: {
    parts: {
      type: 'string',
      enum: ['head'],
      description: 'head: without bodies and outputs, whose sizes it says, and at most 256 KiB',
    },
  },
};

const schema = (tag: string, summary: string, rest: object = {}) => ({ schema: { tags: [tag], summary, ...rest } });

export function adminRunRoutes(server: FastifyInstance, dependencies: AdminRunDependencies): void {
  runListRoute(server, dependencies);
  getRoute(server, dependencies);
  eventsRoute(server, dependencies);
  cancelRoute(server, dependencies);
}

function getRoute(server: FastifyInstance, dependencies: AdminRunDependencies): void {
  const { storage, reads, unsent, maskSecrets } = dependencies;
  server.get<{ Params: RunParams; Querystring: { parts?: 'head' } }>(
    '/runs/:run_id',
    schema('runs', 'Get a run with its request', { querystring: getQuery }),
    async ({ params, query }, reply) => {
      if (query.parts === 'head') return readHead(dependencies, params.run_id);
      const run = await reads.run(params.run_id);
      if (run === null) throw unknownRun();
      // Read after the run, so that an ended run is never shown with a delivery that it still waits for.
      const deliveries = await storage.listDeliveries({ runId: params.run_id, limit: MAX_DELIVERIES }).catch((error: unknown) => {
        reads.release(run.reservedBytes);
        throw error;
      });
      return sendRun(reply, unsent, presentRunForAdmin(run.value, deliveries.reverse(), maskSecrets), run.reservedBytes);
    },
  );
}

function eventsRoute(server: FastifyInstance, { storage, streams }: AdminRunDependencies): void {
  server.get<{ Params: RunParams }>('/runs/:run_id/events', schema('runs', 'Stream the events of any run'), async (request, reply) => {
    const { run_id: runId } = request.params;
    const after = readAfter(request);
    const position = await storage.findStream(runId);
    if (position === null) throw unknownRun();
    resumeStream(reply, streams, { runId, position, after });
  });
}

function cancelRoute(server: FastifyInstance, { engine }: AdminRunDependencies): void {
  server.post<{ Params: RunParams }>('/runs/:run_id/cancel', schema('runs', 'Cancel a run that has not ended'), async ({ params }) => {
    const result = await engine.cancel(params.run_id);
    if (result === null) throw unknownRun();
    if (!result.cancelled) throw new AppError('conflict', 'the run has already ended and cannot be cancelled');
    return { run_id: params.run_id, status: 'cancelled' };
  });
}
