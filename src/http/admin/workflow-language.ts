// Admin routes about the workflow language: check a definition without saving it, and list step types.

import type { FastifyInstance } from 'fastify';
import { refuseFaults } from '../../core/fault.ts';
import { workflowSchema } from '../../core/workflow/document.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';

export function workflowLanguageRoutes(server: FastifyInstance, { definitions }: { definitions: DefinitionService }): void {
  const inApp = {
    type: 'object',
    properties: { app_id: { type: 'string', description: 'looks up the workflows that the definition uses in this app' } },
  };
  server.post<{ Querystring: { app_id?: string }; Body: unknown }>(
    '/workflows/validate',
    { schema: { tags: ['workflows'], summary: 'Check a definition as saving it would', body: workflowSchema, querystring: inApp } },
    async ({ query, body }) => {
      refuseFaults('the workflow', await definitions.checkWorkflow(query.app_id ?? null, body), 'unprocessable');
      return { status: 'ok' };
    },
  );
  server.get(
    '/step-types',
    { schema: { tags: ['workflows'], summary: 'List step types with the schemas of their manifests' } },
    async () => ({
      step_types: definitions.describeStepTypes(),
    }),
  );
}
