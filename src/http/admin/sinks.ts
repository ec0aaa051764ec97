// Admin routes for sinks and their schedules.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { schedulesSchemaWith } from '../../core/sink/schedule-setting.ts';
import { type Sink, sinkSchema } from '../../core/sink/sink.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';
import { type Edit, entityTag } from '../../definitions/edit.ts';
import type { Storage } from '../../storage/storage.ts';
import type { CredentialUses } from '../trigger/senders/credential-uses.ts';
import { ifMatchHeader, mergePatchOf, preconditionHeaders, preconditionsOf, withShownFields } from './edit-schemas.ts';
import { type PresentedSchedule, presentSchedules, presentSink, type SinkContext } from './presenters.ts';

export interface SinkRouteDependencies {
  definitions: DefinitionService;
  catalog: Catalog;
  storage: Pick<Storage, 'countFlow'>;
  baseUrl: () => string;
  uses: CredentialUses;
  scheduler: SinkContext['scheduler'];
}

interface AppParams {
  app_id: string;
}
interface SinkParams extends AppParams {
  sink_id: string;
}

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['sinks'], summary, ...rest } });

const shownTime = { readOnly: true, type: ['string', 'null'], description: 'as it was shown' };

const editedSink = withShownFields(sinkSchema, ['id', 'url', 'credentials', 'flow_state', 'managed_by', 'created_at', 'updated_at'], {
  auth: {
    anyOf: [(sinkSchema['properties'] as Record<string, object>)['auth'], { type: 'string', description: 'the scheme, as it was shown' }],
  },
  schedules: schedulesSchemaWith({ next_at: shownTime, last_at: shownTime }),
});

const keepQuery = {
  type: 'object',
  properties: {
    keep_hours: { type: 'number', minimum: 0, maximum: 8760, description: 'how long the other tokens stay valid; 0 by default' },
  },
} as const;

const PATH = '/apps/:app_id/sinks/:sink_id';

export function sinkRoutes(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  listRoutes(server, dependencies);
  createRoute(server, dependencies);
  getRoute(server, dependencies);
  editRoutes(server, dependencies);
  deleteRoute(server, dependencies);
  rotateTokenRoute(server, dependencies);
  capturedSecretRoute(server, dependencies);
  scheduleRoute(server, dependencies);
}

function listRoutes(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  const list = async (isListed: (sink: Sink) => boolean): Promise<object> => {
    const sinks: object[] = [];
    for (const sink of dependencies.catalog.current().sinks.filter(isListed)) sinks.push(await presentWithRuns(sink, dependencies));
    return { sinks };
  };
  server.get<{ Querystring: { app_id?: string } }>(
    '/sinks',
    schema('List sinks of all apps', { querystring: { type: 'object', properties: { app_id: { type: 'string' } } } }),
    ({ query }) => list(({ appId }) => query.app_id === undefined || appId === query.app_id),
  );
  server.get<{ Params: AppParams }>('/apps/:app_id/sinks', schema('List sinks'), ({ params }) =>
    list(({ appId }) => appId === params.app_id),
  );
}

function createRoute(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  server.post<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id/sinks',
    schema('Create a sink', { body: sinkSchema }),
    async ({ params, body }, reply) => {
      const sink = await dependencies.definitions.createSink(params.app_id, body);
      reply.code(201).header('location', `/api/v1/apps/${sink.appId}/sinks/${sink.id}`);
      return answer(reply, sink, dependencies);
    },
  );
}

function getRoute(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  server.get<{ Params: SinkParams }>(PATH, schema('Get a sink'), ({ params }, reply) => {
    const sink = dependencies.definitions.findSink(params.app_id, params.sink_id);
    reply.header('etag', entityTag(sink));
    return presentWithRuns(sink, dependencies);
  });
}

function editRoutes(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  const editOf = (headers: Record<string, unknown>): Edit<Sink> => ({
    ...preconditionsOf(headers),
    show: (sink) => presentSink(sink, contextOf(dependencies)),
  });
  server.put<{ Params: SinkParams; Body: unknown }>(
    PATH,
    schema('Replace a sink; its credentials stay unless the body states others', { body: editedSink, headers: preconditionHeaders }),
    async ({ params, body, headers }, reply) =>
      answer(reply, await dependencies.definitions.replaceSink(params.app_id, params.sink_id, body, editOf(headers)), dependencies),
  );
  server.patch<{ Params: SinkParams; Body: unknown }>(
    PATH,
    schema('Change fields of a sink', { ...mergePatchOf(editedSink), headers: preconditionHeaders }),
    async ({ params, body, headers }, reply) =>
      answer(reply, await dependencies.definitions.patchSink(params.app_id, params.sink_id, body, editOf(headers)), dependencies),
  );
}

function deleteRoute(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  server.delete<{ Params: SinkParams }>(PATH, schema('Delete a sink', { headers: ifMatchHeader }), async ({ params, headers }, reply) => {
    await dependencies.definitions.deleteSink(params.app_id, params.sink_id, headers['if-match']);
    reply.code(204);
  });
}

function rotateTokenRoute(server: FastifyInstance, dependencies: SinkRouteDependencies): void {
  server.post<{ Params: SinkParams; Querystring: { keep_hours?: number } }>(
    `${PATH}/rotate-token`,
    schema('Give a sink a new token', { headers: ifMatchHeader, querystring: keepQuery }),
    async ({ params, headers, query }, reply) => {
      const edit = { keepMs: (query.keep_hours ?? 0) * 3_600_000, ifMatch: headers['if-match'] };
      const { sink, token } = await dependencies.definitions.rotateToken(params.app_id, params.sink_id, edit);
      return { ...answer(reply, sink, dependencies), auth_token: token };
    },
  );
}

function capturedSecretRoute(server: FastifyInstance, { definitions }: SinkRouteDependencies): void {
  server.post<{ Params: SinkParams }>(
    `${PATH}/captured-secret`,
    schema('Show the secret that the sender of a sink has brought; once only'),
    async ({ params }) => ({ secret: await definitions.revealCapturedSecret(params.app_id, params.sink_id) }),
  );
}

const DEFAULT_LISTED = 100;
const MAX_LISTED = 500;

const schedulesQuery = {
  type: 'object',
  properties: {
    app_id: { type: 'string' },
    limit: { type: 'integer', minimum: 1, maximum: MAX_LISTED, description: `${DEFAULT_LISTED} by default` },
  },
} as const;

/** Without a page after the first: those that come next are the ones to look for. */
function scheduleRoute(server: FastifyInstance, { catalog, scheduler }: SinkRouteDependencies): void {
  server.get<{ Querystring: { app_id?: string; limit?: number } }>(
    '/schedules',
    schema('List schedules of all sinks, those that come next first', { querystring: schedulesQuery }),
    ({ query: { app_id: appId, limit = DEFAULT_LISTED } }) => {
      const sinks = catalog.current().sinks.filter((sink) => appId === undefined || sink.appId === appId);
      const schedules = sinks.flatMap((sink) => {
        const place = { app_id: sink.appId, sink_id: sink.id, path: sink.path };
        return presentSchedules(sink, scheduler).map((schedule) => ({ ...place, ...schedule }));
      });
      schedules.sort((a, b) => timeOf(a) - timeOf(b));
      return { schedules: schedules.slice(0, limit), total: schedules.length };
    },
  );
}

/** A schedule without a next time is last. */
function timeOf({ next_at: nextAt }: PresentedSchedule): number {
  return nextAt === null ? Number.MAX_SAFE_INTEGER : Date.parse(nextAt);
}

/** With the number of its unfinished runs, for a sink with flow control. */
async function presentWithRuns(sink: Sink, dependencies: SinkRouteDependencies): Promise<object> {
  const shown = presentSink(sink, contextOf(dependencies));
  if (sink.flow === undefined) return shown;
  const count = await dependencies.storage.countFlow(sink.id);
  return count === null ? shown : { ...shown, flow_state: { in_flight: count.inFlight, held: count.held } };
}

function answer(reply: FastifyReply, sink: Sink, dependencies: SinkRouteDependencies): object {
  reply.header('etag', entityTag(sink));
  return presentSink(sink, contextOf(dependencies));
}

function contextOf({ baseUrl, ...context }: SinkRouteDependencies): SinkContext {
  return { ...context, baseUrl: baseUrl() };
}
