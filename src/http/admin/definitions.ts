// Admin routes for apps, workflows, and all definitions as one document.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { workflowSchema } from '../../core/workflow/document.ts';
import { appSchema } from '../../definitions/app-changes.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { PlannedChange } from '../../definitions/definition-diff.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';
import { type Edit, entityTag } from '../../definitions/edit.ts';
import { AppError } from '../../errors.ts';
import type { AppRecord, WorkflowRecord } from '../../storage/definition-store.ts';
import type { Storage } from '../../storage/storage.ts';
import { ifMatchHeader, mergePatchOf, withShownFields } from './edit-schemas.ts';
import { presentApp, presentWorkflow, presentWorkflowDefinition } from './presenters.ts';

export interface DefinitionRouteDependencies {
  definitions: DefinitionService;
  catalog: Catalog;
  storage: Pick<Storage, 'findWorkflow'>;
}

interface AppParams {
  app_id: string;
}
interface WorkflowParams extends AppParams {
  workflow_id: string;
}

const documentBody = { type: 'object', description: 'apps, workflows and sinks, as definition files hold them' };
const appBody = withShownFields(appSchema, ['id', 'managed_by', 'created_at']);

const appEdit = (headers: Record<string, unknown>): Edit<AppRecord> => ({
  ifMatch: headers['if-match'] as string | undefined,
  show: presentApp,
});
const workflowEdit = (headers: Record<string, unknown>): Edit<WorkflowRecord> => ({
  ifMatch: headers['if-match'] as string | undefined,
  show: presentWorkflow,
});

function answerApp(reply: FastifyReply, app: AppRecord): object {
  reply.header('etag', entityTag(app));
  return presentApp(app);
}

function answerWorkflow(reply: FastifyReply, workflow: WorkflowRecord): object {
  reply.header('etag', entityTag(workflow));
  return presentWorkflow(workflow);
}

export function definitionRoutes(server: FastifyInstance, { definitions, catalog, storage }: DefinitionRouteDependencies): void {
  const schema = (tag: string, summary: string, rest: object = {}) => ({ schema: { tags: [tag], summary, ...rest } });

  server.get('/apps', schema('apps', 'List apps'), () => ({ apps: catalog.current().apps.map(presentApp) }));
  server.put<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id',
    schema('apps', 'Make or rename an app', { body: appBody, headers: ifMatchHeader }),
    async ({ params, body, headers }, reply) => answerApp(reply, await definitions.saveApp(params.app_id, body, appEdit(headers))),
  );
  server.patch<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id',
    schema('apps', 'Change fields of an app', { ...mergePatchOf(appBody), headers: ifMatchHeader }),
    async ({ params, body, headers }, reply) => {
      findApp(params.app_id);
      // For an app, saving has the semantics of a merge patch: an absent name stays, null removes it.
      return answerApp(reply, await definitions.saveApp(params.app_id, body, appEdit(headers)));
    },
  );
  server.get<{ Params: AppParams }>('/apps/:app_id', schema('apps', 'Get an app'), ({ params }, reply) =>
    answerApp(reply, findApp(params.app_id)),
  );
  server.delete<{ Params: AppParams }>(
    '/apps/:app_id',
    schema('apps', 'Delete an empty app', { headers: ifMatchHeader }),
    async ({ params, headers }, reply) => {
      await definitions.deleteApp(params.app_id, headers['if-match']);
      reply.code(204);
    },
  );

  server.get<{ Params: AppParams }>('/apps/:app_id/workflows', schema('workflows', 'List workflows'), ({ params }) => ({
    workflows: catalog
      .current()
      .workflows.filter(({ appId }) => appId === params.app_id)
      .map(presentWorkflow),
  }));
  server.put<{ Params: WorkflowParams; Body: unknown }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Save a workflow; a change is a new version', { body: workflowSchema, headers: ifMatchHeader }),
    async ({ params: { app_id: appId, workflow_id: id }, body, headers }, reply) =>
      answerWorkflow(reply, await definitions.saveWorkflow(appId, id, body, workflowEdit(headers))),
  );
  server.patch<{ Params: WorkflowParams; Body: unknown }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Change fields of a workflow', { ...mergePatchOf(workflowSchema), headers: ifMatchHeader }),
    async ({ params: { app_id: appId, workflow_id: id }, body, headers }, reply) =>
      answerWorkflow(reply, await definitions.patchWorkflow(appId, id, body, workflowEdit(headers))),
  );
  server.get<{ Params: WorkflowParams; Querystring: { version?: number } }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Get a workflow with its definition', {
      querystring: { type: 'object', properties: { version: { type: 'integer', minimum: 1 } } },
    }),
    async ({ params, query }, reply) => {
      const record = await storage.findWorkflow(params.app_id, params.workflow_id, query.version ?? null);
      if (record === null) throw new AppError('not_found', `app "${params.app_id}" has no such workflow or version`);
      reply.header('etag', entityTag(record));
      return presentWorkflowDefinition(record);
    },
  );
  server.delete<{ Params: WorkflowParams }>(
    '/apps/:app_id/workflows/:workflow_id',
    schema('workflows', 'Delete a workflow', { headers: ifMatchHeader }),
    async ({ params, headers }, reply) => {
      await definitions.deleteWorkflow(params.app_id, params.workflow_id, headers['if-match']);
      reply.code(204);
    },
  );

  server.get('/definitions', schema('definitions', 'Export all definitions'), () => definitions.exportAll());
  server.post('/definitions/diff', schema('definitions', 'Tell what applying would change', { body: documentBody }), async ({ body }) =>
    presentChanges(await definitions.diff(body)),
  );
  server.post('/definitions/apply', schema('definitions', 'Apply definitions: all or nothing', { body: documentBody }), async ({ body }) =>
    presentChanges(await definitions.apply(body)),
  );

  function findApp(id: string): AppRecord {
    const app = definitions.findApp(id);
    if (app === undefined) throw new AppError('not_found', `there is no app "${id}"`);
    return app;
  }
}

function presentChanges(changes: PlannedChange[]): object {
  return { changes: changes.map(({ action, kind, name }) => ({ action, kind, name })) };
}
