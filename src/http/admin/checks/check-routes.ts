// Admin routes that check a definition while somebody writes it: they change nothing, and faults are their answer, not an error.

import type { FastifyInstance } from 'fastify';
import { withPlainNumbers } from '../../../core/json/json.ts';
import { sinkSchema } from '../../../core/sink/sink.ts';
import { workflowSchema } from '../../../core/workflow/document.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import { presentSink, type SinkContext } from '../presenters.ts';
import { presentCheck } from './present-faults.ts';

export interface CheckRouteDependencies extends Omit<SinkContext, 'baseUrl'> {
  definitions: Pick<DefinitionService, 'checkWorkflow' | 'checkSink' | 'findSink'>;
  baseUrl: () => string;
}

const workflowQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    app_id: { type: 'string', description: 'looks up the workflows that the definition uses in this app' },
    workflow_id: { type: 'string', description: 'the workflow that the definition would replace' },
  },
};

const sinkQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { sink_id: { type: 'string', description: 'the sink that the definition would replace' } },
};

export function checkRoutes(server: FastifyInstance, dependencies: CheckRouteDependencies): void {
  const { definitions, uses, scheduler } = dependencies;
  server.post<{ Querystring: { app_id?: string; workflow_id?: string }; Body: unknown }>(
    '/workflows/check',
    {
      schema: {
        tags: ['workflows'],
        summary: 'List the faults of a definition, with their places as JSON Pointers',
        body: workflowSchema,
        querystring: workflowQuery,
      },
    },
    async ({ query, body }) => {
      const faults = await definitions.checkWorkflow(query.app_id ?? null, body, query.workflow_id ?? null);
      return presentCheck(withPlainNumbers(body), faults);
    },
  );
  server.post<{ Params: { app_id: string }; Querystring: { sink_id?: string }; Body: unknown }>(
    '/apps/:app_id/sinks/check',
    {
      schema: {
        tags: ['sinks'],
        summary: 'List the faults of a sink, with their places as JSON Pointers, and its clash with another one',
        body: sinkSchema,
        querystring: sinkQuery,
      },
    },
    ({ params, query, body }) => {
      const sink = query.sink_id === undefined ? null : definitions.findSink(params.app_id, query.sink_id);
      const context = { uses, scheduler, baseUrl: dependencies.baseUrl() };
      const edited = sink === null ? null : { sink, shown: presentSink(sink, context) };
      return presentCheck(withPlainNumbers(body), definitions.checkSink(params.app_id, body, edited));
    },
  );
}
