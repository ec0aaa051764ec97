// Admin routes for rejections, and for the capture of the next refused request of a sink.

import type { FastifyInstance } from 'fastify';
import { REFUSAL_REASONS } from '../../../core/sink/refusal-causes.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import { AppError } from '../../../errors.ts';
import type { RejectionFilter } from '../../../storage/refusals/rejection-store.ts';
import type { Storage } from '../../../storage/storage.ts';
import type { RefusedCaptures } from '../../trigger/rejections/refused-captures.ts';
import { readTime } from '../shared/read-time.ts';
import { presentCapture, presentRejection } from './present-rejection.ts';

export interface RejectionRouteDependencies {
  storage: Pick<Storage, 'listRejections' | 'getRejection'>;
  definitions: Pick<DefinitionService, 'findSink'>;
  captures: RefusedCaptures;
}

interface ListQuery {
  app_id?: string;
  sink_id?: string;
  reason?: string;
  client_ip?: string;
  since?: string;
  limit: number;
  cursor?: number;
}

const listQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    app_id: { type: 'string' },
    sink_id: { type: 'string' },
    reason: { type: 'string', enum: REFUSAL_REASONS },
    client_ip: { type: 'string', maxLength: 64 },
    since: { type: 'string', description: 'ISO 8601 time; entries that were counted on then or later' },
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    cursor: { type: 'integer', minimum: 0 },
  },
};

const positionParams = {
  type: 'object',
  properties: { position: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } },
};

const schema = (tag: string, summary: string, rest: object = {}) => ({ schema: { tags: [tag], summary, ...rest } });

export function rejectionRoutes(server: FastifyInstance, { storage, definitions, captures }: RejectionRouteDependencies): void {
  server.get<{ Querystring: ListQuery }>(
    '/rejections',
    schema('rejections', 'List refused triggers, newest first', { querystring: listQuery }),
    async ({ query }) => {
      const rejections = await storage.listRejections(readFilter(query));
      return {
        rejections: rejections.map(presentRejection),
        next_cursor: rejections.length === query.limit ? (rejections.at(-1)?.position ?? null) : null,
      };
    },
  );
  server.get<{ Params: { position: number } }>(
    '/rejections/:position',
    schema('rejections', 'Get an entry of the refused triggers, with the request if it was captured', { params: positionParams }),
    async ({ params }) => {
      const rejection = await storage.getRejection(params.position);
      if (rejection === null) throw new AppError('not_found', 'there is no such rejection; it may have been removed by retention');
      const capture = captures.find(params.position);
      return { ...presentRejection(rejection), capture: capture === null ? null : presentCapture(capture) };
    },
  );
  server.post<{ Params: { app_id: string; sink_id: string } }>(
    '/apps/:app_id/sinks/:sink_id/capture-refused',
    schema('sinks', 'Keep the next refused request of a sink, for an hour and in memory'),
    ({ params }, reply) => {
      const sink = definitions.findSink(params.app_id, params.sink_id);
      reply.code(202);
      return { sink_id: sink.id, waits_until: new Date(captures.arm(sink.id)).toISOString() };
    },
  );
}

function readFilter({ app_id: appId, sink_id: sinkId, reason, client_ip: clientIp, since, limit, cursor }: ListQuery): RejectionFilter {
  return {
    limit,
    ...(appId === undefined ? {} : { appId }),
    ...(sinkId === undefined ? {} : { sinkId }),
    ...(reason === undefined ? {} : { reason }),
    ...(clientIp === undefined ? {} : { clientIp }),
    ...(since === undefined ? {} : { since: readTime('since', since) }),
    ...(cursor === undefined ? {} : { before: cursor }),
  };
}
