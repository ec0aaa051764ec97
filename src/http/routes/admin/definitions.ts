// Admin routes for apps, workflows, sinks, and all of them as one document.

import type { FastifyInstance } from 'fastify';
import { sinkSchema } from '../../../core/sink.ts';
import { workflowSchema } from '../../../core/workflow-document.ts';
import type { Catalog } from '../../../definitions/catalog.ts';
import type { PlannedChange } from '../../../definitions/definition-diff.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import { AppError } from '../../../errors.ts';
import type { Storage } from '../../../storage/storage.ts';
import { presentApp, presentSink, presentWorkflow, presentWorkflowDefinition } from '../../presenters.ts';

export interface DefinitionRouteDependencies {
  definitions: DefinitionService;
  catalog: Catalog;
  storage: Pick<Storage, 'findWorkflow'>;
  baseUrl: () => string;
}

interface AppParams {
  app_id: string;
}
interface WorkflowParams extends AppParams {
  workflow_id: string;
}
interface SinkParams extends AppParams {
  sink_id: string;
}

const documentBody = { type: 'object', description: 'apps, workflows and sinks, as definition files hold them' };
const appBody = { type: 'object', additionalProperties: false, properties: { name: { type: ['string', 'null'] } } };

export function definitionRoutes(server: FastifyInstance, { definitions, catalog, storage, baseUrl }: DefinitionRouteDependencies): void {
  const schema = (tag: string, summary: string, rest: object = {}) => ({ schema: { tags: [tag], summary, ...rest } });

  server.get('/apps', schema('apps', 'List apps'), () => ({ apps: catalog.current().apps.map(presentApp) }));
  server.put<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id',
    schema('apps', 'Make or rename an app', { body: appBody }),
    async ({ params, body }) => presentApp(await definitions.saveApp(params.app_id, readAppName(body))),
  );
  server.get<{ Params: AppParams }>('/apps/:app_id', schema('apps', 'Get an app'), ({ params }) => {
    const app = catalog.current().apps.find(({ id }) => id === params.app_id);
    if (app === undefined) throw new AppError('not_found', `there is no app "${params.app_id}"`);
    return presentApp(app);
  });
  server.delete<{ Params: AppParams }>('/apps/:app_id', schema('apps', 'Delete an empty app'), async ({ params }, reply) => {
    await definitions.deleteApp(params.app_id);
    reply.code(204);
  });

  server.get<{ Params: AppParams }>('/apps/:app_id/workflows', schema('workflows', 'List workflows'), ({ params }) => ({
    workflows: catalog
      .current()
      .workflows.filter(({ appId }) => appId === params.app_id)
      .map(presentWorkflow),
  }));
  server.put<{ Params: WorkflowParams; Body: unknown }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Save a workflow; a change is a new version', { body: workflowSchema }),
    async ({ params, body }) => presentWorkflow(await definitions.saveWorkflow(params.app_id, params.workflow_id, body)),
  );
  server.get<{ Params: WorkflowParams; Querystring: { version?: number } }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Get a workflow with its definition', {
      querystring: { type: 'object', properties: { version: { type: 'integer', minimum: 1 } } },
    }),
    async ({ params, query }) => {
      const record = await storage.findWorkflow(params.app_id, params.workflow_id, query.version ?? null);
      if (record === null) throw new AppError('not_found', `app "${params.app_id}" has no such workflow or version`);
      return presentWorkflowDefinition(record);
    },
  );
  server.delete<{ Params: WorkflowParams }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Delete a workflow'),
    async ({ params }, reply) => {
      await definitions.deleteWorkflow(params.app_id, params.workflow_id);
      reply.code(204);
    },
  );

  server.get<{ Querystring: { app_id?: string } }>(
    '/sinks',
    schema('sinks', 'List sinks of all apps', { querystring: { type: 'object', properties: { app_id: { type: 'string' } } } }),
    ({ query }) => ({ sinks: sinksOf(query.app_id) }),
  );
  server.get<{ Params: AppParams }>('/apps/:app_id/sinks', schema('sinks', 'List sinks'), ({ params }) => ({
    sinks: sinksOf(params.app_id),
  }));
  server.post<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id/sinks',
    schema('sinks', 'Create a sink', { body: sinkSchema }),
    async ({ params, body }, reply) => {
      const sink = await definitions.createSink(params.app_id, body);
      reply.code(201).header('location', `/api/v1/apps/${sink.appId}/sinks/${sink.id}`);
      return presentSink(sink, baseUrl());
    },
  );
  server.get<{ Params: SinkParams }>('/apps/:app_id/sinks/:sink_id', schema('sinks', 'Get a sink'), ({ params }) =>
    presentSink(definitions.findSink(params.app_id, params.sink_id), baseUrl()),
  );
  server.put<{ Params: SinkParams; Body: unknown }>(
    '/apps/:app_id/sinks/:sink_id',
    schema('sinks', 'Replace a sink', { body: sinkSchema }),
    async ({ params, body }) => presentSink(await definitions.replaceSink(params.app_id, params.sink_id, body), baseUrl()),
  );
  server.delete<{ Params: SinkParams }>('/apps/:app_id/sinks/:sink_id', schema('sinks', 'Delete a sink'), async ({ params }, reply) => {
    await definitions.deleteSink(params.app_id, params.sink_id);
    reply.code(204);
  });
  server.post<{ Params: SinkParams }>(
    '/apps/:app_id/sinks/:sink_id/rotate-token',
    schema('sinks', 'Give a sink a new token'),
    async ({ params }) => {
      const { sink, token } = await definitions.rotateToken(params.app_id, params.sink_id);
      return { ...presentSink(sink, baseUrl()), auth_token: token };
    },
  );

  server.get('/definitions', schema('definitions', 'Export all definitions'), () => definitions.exportAll());
  server.post('/definitions/diff', schema('definitions', 'Tell what applying would change', { body: documentBody }), async ({ body }) =>
    presentChanges(await definitions.diff(body)),
  );
  server.post('/definitions/apply', schema('definitions', 'Apply definitions: all or nothing', { body: documentBody }), async ({ body }) =>
    presentChanges(await definitions.apply(body)),
  );

  function sinksOf(appId: string | undefined): object[] {
    const { sinks } = catalog.current();
    return sinks.filter((sink) => appId === undefined || sink.appId === appId).map((sink) => presentSink(sink, baseUrl()));
  }
}

function presentChanges(changes: PlannedChange[]): object {
  return { changes: changes.map(({ action, kind, name }) => ({ action, kind, name })) };
}

function readAppName(body: unknown): string | null {
  const { name = null, ...rest } = (body ?? {}) as { name?: unknown };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new AppError('invalid', `unknown field "${unknown}"; known is name`);
  if (name !== null && typeof name !== 'string') throw new AppError('invalid', 'name: must be text or null');
  return name;
}
