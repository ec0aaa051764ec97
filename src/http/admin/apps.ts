// Admin routes for apps.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { appSchema } from '../../definitions/app-changes.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';
import { type Edit, entityTag } from '../../definitions/edit.ts';
import { AppError } from '../../errors.ts';
import type { AppRecord } from '../../storage/definition-store.ts';
import { ifMatchHeader, mergePatchOf, preconditionHeaders, preconditionsOf, withShownFields } from './edit-schemas.ts';
import { presentApp } from './presenters.ts';

export interface AppRouteDependencies {
  definitions: DefinitionService;
  catalog: Catalog;
}

interface AppParams {
  app_id: string;
}

const appBody = withShownFields(appSchema, ['id', 'managed_by', 'created_at']);

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['apps'], summary, ...rest } });

export function appRoutes(server: FastifyInstance, { definitions, catalog }: AppRouteDependencies): void {
  server.get('/apps', schema('List apps'), () => ({ apps: catalog.current().apps.map(presentApp) }));
  server.put<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id',
    schema('Make or rename an app', { body: appBody, headers: preconditionHeaders }),
    async ({ params, body, headers }, reply) => answer(reply, await definitions.saveApp(params.app_id, body, editOf(headers))),
  );
  server.patch<{ Params: AppParams; Body: unknown }>(
    '/apps/:app_id',
    schema('Change fields of an app', { ...mergePatchOf(appBody), headers: preconditionHeaders }),
    async ({ params, body, headers }, reply) => {
      findApp(definitions, params.app_id);
      // For an app, saving has the semantics of a merge patch: an absent name stays, null removes it.
      return answer(reply, await definitions.saveApp(params.app_id, body, editOf(headers)));
    },
  );
  server.get<{ Params: AppParams }>('/apps/:app_id', schema('Get an app'), ({ params }, reply) =>
    answer(reply, findApp(definitions, params.app_id)),
  );
  server.delete<{ Params: AppParams }>(
    '/apps/:app_id',
    schema('Delete an empty app', { headers: ifMatchHeader }),
    async ({ params, headers }, reply) => {
      await definitions.deleteApp(params.app_id, headers['if-match']);
      reply.code(204);
    },
  );
}

function editOf(headers: Record<string, unknown>): Edit<AppRecord> {
  return { ...preconditionsOf(headers), show: presentApp };
}

function answer(reply: FastifyReply, app: AppRecord): object {
  reply.header('etag', entityTag(app));
  return presentApp(app);
}

function findApp(definitions: DefinitionService, id: string): AppRecord {
  const app = definitions.findApp(id);
  if (app === undefined) throw new AppError('not_found', `there is no app "${id}"`);
  return app;
}
