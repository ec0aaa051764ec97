// Admin routes for the versions of a workflow: list, read, compare and draw them, and make an earlier one current again.

import type { FastifyInstance } from 'fastify';
import { refuseFaults } from '../../../core/fault.ts';
import { parseJson } from '../../../core/json/json.ts';
import { createSchemaCheck } from '../../../core/schema.ts';
import type { WorkflowDocument } from '../../../core/workflow/document.ts';
import { planWorkflow } from '../../../core/workflow/plan.ts';
import { stepGraphOf } from '../../../core/workflow/views/step-graph.ts';
import { diffVersions } from '../../../core/workflow/views/version-diff.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import { entityTag } from '../../../definitions/edit.ts';
import { AppError } from '../../../errors.ts';
import type { WorkflowRecord } from '../../../storage/definition-store.ts';
import type { Storage } from '../../../storage/storage.ts';
import { ifMatchHeader } from '../edit-schemas.ts';
import { presentWorkflow, presentWorkflowDefinition } from '../presenters.ts';
import { presentDiff, presentVersion } from './present-version.ts';

export interface VersionRouteDependencies {
  definitions: Pick<DefinitionService, 'rollbackWorkflow'>;
  storage: Pick<Storage, 'findWorkflow' | 'listVersions'>;
}

interface WorkflowParams {
  app_id: string;
  workflow_id: string;
}

const PATH = '/apps/:app_id/workflows/:workflow_id';
const versionSchema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

const listQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
    cursor: { ...versionSchema, description: 'next_cursor of the page before' },
  },
};

const diffQuery = {
  type: 'object',
  additionalProperties: false,
  required: ['from'],
  properties: { from: versionSchema, to: { ...versionSchema, description: 'the current version by default' } },
};

const graphQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { version: { ...versionSchema, description: 'the current version by default' } },
};

const rollbackSchema = { type: 'object', additionalProperties: false, required: ['version'], properties: { version: versionSchema } };
const checkRollback = createSchemaCheck(rollbackSchema);

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['workflows'], summary, ...rest } });

export function versionRoutes(server: FastifyInstance, dependencies: VersionRouteDependencies): void {
  listRoute(server, dependencies);
  getRoute(server, dependencies);
  diffRoute(server, dependencies);
  graphRoute(server, dependencies);
  rollbackRoute(server, dependencies);
}

function listRoute(server: FastifyInstance, { storage }: VersionRouteDependencies): void {
  server.get<{ Params: WorkflowParams; Querystring: { limit: number; cursor?: number } }>(
    `${PATH}/versions`,
    schema('List the versions of a workflow, newest first', { querystring: listQuery }),
    async ({ params: { app_id: appId, workflow_id: id }, query: { limit, cursor } }) => {
      const versions = await storage.listVersions(appId, id, { before: cursor ?? Number.MAX_SAFE_INTEGER, limit });
      if (versions.length === 0 && cursor === undefined) throw new AppError('not_found', `app "${appId}" has no workflow "${id}"`);
      const last = versions.at(-1)?.version ?? 1;
      return { versions: versions.map(presentVersion), next_cursor: versions.length === limit && last > 1 ? last : null };
    },
  );
}

function getRoute(server: FastifyInstance, { storage }: VersionRouteDependencies): void {
  server.get<{ Params: WorkflowParams & { version: number } }>(
    `${PATH}/versions/:version`,
    schema('Get a version of a workflow with its definition', { params: { type: 'object', properties: { version: versionSchema } } }),
    async ({ params }) => {
      const record = await findVersion(storage, params, params.version);
      const [summary] = await storage.listVersions(record.appId, record.id, { before: record.version + 1, limit: 1 });
      return { ...presentWorkflowDefinition(record), is_current: summary?.isCurrent ?? false };
    },
  );
}

function diffRoute(server: FastifyInstance, { storage }: VersionRouteDependencies): void {
  server.get<{ Params: WorkflowParams; Querystring: { from: number; to?: number } }>(
    `${PATH}/diff`,
    schema('Compare two versions of a workflow', { querystring: diffQuery }),
    async ({ params, query }) => {
      const from = await findVersion(storage, params, query.from);
      const to = await findVersion(storage, params, query.to ?? null);
      return { from: from.version, to: to.version, ...presentDiff(diffVersions(definitionOf(from), definitionOf(to))) };
    },
  );
}

function graphRoute(server: FastifyInstance, { storage }: VersionRouteDependencies): void {
  server.get<{ Params: WorkflowParams; Querystring: { version?: number } }>(
    `${PATH}/graph`,
    schema('Get the steps of a workflow and the edges between them', { querystring: graphQuery }),
    async ({ params, query }) => {
      const record = await findVersion(storage, params, query.version ?? null);
      return { version: record.version, ...stepGraphOf(planWorkflow(record.id, record.version, definitionOf(record))) };
    },
  );
}

function rollbackRoute(server: FastifyInstance, { definitions }: VersionRouteDependencies): void {
  server.post<{ Params: WorkflowParams; Body: unknown }>(
    `${PATH}/rollback`,
    schema('Save the definition of an earlier version again, as a new version', { body: rollbackSchema, headers: ifMatchHeader }),
    async ({ params: { app_id: appId, workflow_id: id }, body, headers }, reply) => {
      refuseFaults('the body', checkRollback(body ?? {}));
      const { version } = body as { version: number };
      const { workflow, isChanged } = await definitions.rollbackWorkflow(appId, id, version, headers['if-match']);
      reply.header('etag', entityTag(workflow));
      return { ...presentWorkflow(workflow), rolled_back_to: version, changed: isChanged };
    },
  );
}

async function findVersion(
  storage: VersionRouteDependencies['storage'],
  { app_id: appId, workflow_id: id }: WorkflowParams,
  version: number | null,
): Promise<WorkflowRecord> {
  const record = await storage.findWorkflow(appId, id, version);
  if (record !== null) return record;
  const which = version === null ? 'current version' : `version ${version}`;
  throw new AppError('not_found', `app "${appId}" has no ${which} of a workflow "${id}"; GET …/versions lists those that it has`);
}

function definitionOf({ document }: WorkflowRecord): WorkflowDocument {
  return parseJson(document) as WorkflowDocument;
}
