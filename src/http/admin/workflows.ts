// Admin routes for workflows.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { workflowSchema } from '../../core/workflow/document.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';
import { type Edit, entityTag } from '../../definitions/edit.ts';
import { AppError } from '../../errors.ts';
import type { WorkflowRecord } from '../../storage/definition-store.ts';
import type { Storage } from '../../storage/storage.ts';
import { ifMatchHeader, mergePatchOf, preconditionHeaders, preconditionsOf } from './edit-schemas.ts';
import { presentWorkflow, presentWorkflowDefinition } from './presenters.ts';

export interface WorkflowRouteDependencies {
  definitions: DefinitionService;
  catalog: Catalog;
  storage: Pick<Storage, 'findWorkflow'>;
}

interface WorkflowParams {
  app_id: string;
  workflow_id: string;
}

const LIST_PATH = '/apps/:app_id/workflows';
const PATH = '/apps/:app_id/workflows/:workflow_id';

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['workflows'], summary, ...rest } });

export function workflowRoutes(server: FastifyInstance, dependencies: WorkflowRouteDependencies): void {
  listRoute(server, dependencies.catalog);
  saveRoutes(server, dependencies.definitions);
  getRoute(server, dependencies.storage);
  deleteRoute(server, dependencies.definitions);
}

function listRoute(server: FastifyInstance, catalog: Catalog): void {
  server.get<{ Params: Pick<WorkflowParams, 'app_id'> }>(LIST_PATH, schema('List workflows'), ({ params }) => ({
    workflows: catalog
      .current()
      .workflows.filter(({ appId }) => appId === params.app_id)
      .map(presentWorkflow),
  }));
}

function saveRoutes(server: FastifyInstance, definitions: DefinitionService): void {
  server.put<{ Params: WorkflowParams; Body: unknown }>(
    PATH,
    schema('Save a workflow; a change is a new version', { body: workflowSchema, headers: preconditionHeaders }),
    async ({ params: { app_id: appId, workflow_id: id }, body, headers }, reply) =>
      answer(reply, await definitions.saveWorkflow(appId, id, body, editOf(headers))),
  );
  server.patch<{ Params: WorkflowParams; Body: unknown }>(
    PATH,
    schema('Change fields of a workflow', { ...mergePatchOf(workflowSchema), headers: preconditionHeaders }),
    async ({ params: { app_id: appId, workflow_id: id }, body, headers }, reply) =>
      answer(reply, await definitions.patchWorkflow(appId, id, body, editOf(headers))),
  );
}

function getRoute(server: FastifyInstance, storage: WorkflowRouteDependencies['storage']): void {
  server.get<{ Params: WorkflowParams; Querystring: { version?: number } }>(
    PATH,
    schema('Get a workflow with its definition', {
      querystring: { type: 'object', properties: { version: { type: 'integer', minimum: 1 } } },
    }),
    async ({ params, query }, reply) => {
      const record = await storage.findWorkflow(params.app_id, params.workflow_id, query.version ?? null);
      if (record === null) throw new AppError('not_found', `app "${params.app_id}" has no such workflow or version`);
      reply.header('etag', entityTag(record));
      return presentWorkflowDefinition(record);
    },
  );
}

function deleteRoute(server: FastifyInstance, definitions: DefinitionService): void {
  server.delete<{ Params: WorkflowParams }>(
    PATH,
    schema('Delete a workflow', { headers: ifMatchHeader }),
    async ({ params, headers }, reply) => {
      await definitions.deleteWorkflow(params.app_id, params.workflow_id, headers['if-match']);
      reply.code(204);
    },
  );
}

function editOf(headers: Record<string, unknown>): Edit<WorkflowRecord> {
  return { ...preconditionsOf(headers), show: presentWorkflow };
}

function answer(reply: FastifyReply, workflow: WorkflowRecord): object {
  reply.header('etag', entityTag(workflow));
  return presentWorkflow(workflow);
}
