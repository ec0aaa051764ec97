// Admin routes for what came to a sink: its samples, and the schema and inputs that are inferred from it.

import type { FastifyInstance } from 'fastify';
import { refuseFaults } from '../../../core/fault.ts';
import { MAX_SAMPLE_BYTES, MAX_SAMPLES_BYTES, MAX_SAMPLES_OF_SINK } from '../../../core/run/sample-limits.ts';
import { createSchemaCheck } from '../../../core/schema.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import { inferSink } from '../../../definitions/sinks/infer-sink.ts';
import { AppError } from '../../../errors.ts';
import type { Sample, SaveSampleResult } from '../../../storage/samples/sample-store.ts';
import type { Storage } from '../../../storage/storage.ts';

export interface SampleRouteDependencies {
  definitions: Pick<DefinitionService, 'findSink'>;
  storage: Pick<Storage, 'saveSample' | 'deleteSample' | 'listSamples' | 'listRuns' | 'findStream' | 'getRun'>;
}

interface SinkParams {
  app_id: string;
  sink_id: string;
}

const sampleSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['run_id'],
  properties: {
    run_id: { type: 'string', minLength: 1, maxLength: 64, description: 'must be the id of a run of the sink' },
    name: {
      type: ['string', 'null'],
      pattern: '^[^\\x00-\\x1f\\x7f]{1,100}$',
      description: 'must be 1 to 100 characters without control characters',
    },
  },
};

const inferQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { limit: { type: 'integer', minimum: 1, maximum: 500, default: 100, description: 'of the latest runs that are read' } },
};

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['sinks'], summary, ...rest } });
const checkSample = createSchemaCheck(sampleSchema);

const PATH = '/apps/:app_id/sinks/:sink_id/samples';

export function sampleRoutes(server: FastifyInstance, { definitions, storage }: SampleRouteDependencies): void {
  server.get<{ Params: SinkParams }>(PATH, schema('List the samples of a sink, newest first'), async ({ params }) => {
    const { id } = definitions.findSink(params.app_id, params.sink_id);
    return { samples: (await storage.listSamples(id)).map(presentSample) };
  });
  server.post<{ Params: SinkParams; Body: unknown }>(
    PATH,
    schema('Keep a run of a sink as a sample, or rename a sample', { body: sampleSchema }),
    async ({ params, body }, reply) => {
      const { id } = definitions.findSink(params.app_id, params.sink_id);
      refuseFaults('the body', checkSample(body ?? {}));
      const { run_id: runId, name = null } = body as { run_id: string; name?: string | null };
      const result = await storage.saveSample(id, { runId, name });
      if (result.kind !== 'saved') throw refusalOf(result.kind);
      reply.code(201);
      return presentSample(result.sample);
    },
  );
  server.delete<{ Params: SinkParams & { run_id: string } }>(
    `${PATH}/:run_id`,
    schema('Delete a sample; its run stays until retention removes it'),
    async ({ params }, reply) => {
      const { id } = definitions.findSink(params.app_id, params.sink_id);
      if (!(await storage.deleteSample(id, params.run_id)))
        throw new AppError('not_found', `run "${params.run_id}" is no sample of the sink`);
      reply.code(204);
    },
  );
  server.get<{ Params: SinkParams; Querystring: { limit: number } }>(
    '/apps/:app_id/sinks/:sink_id/inferred',
    schema('Infer the schema and the inputs of a sink from its samples and its latest runs', { querystring: inferQuery }),
    async ({ params, query }) => {
      const { id } = definitions.findSink(params.app_id, params.sink_id);
      const { requests, leftOut, schema: inferred, inputs, telling } = await inferSink(storage, id, query.limit);
      return {
        requests,
        left_out: leftOut,
        telling_run_ids: telling,
        sink: { schema: inferred, inputs: inputs.mapping },
        workflow: { inputs: inputs.declared },
        fields_left_out: inputs.leftOut,
      };
    },
  );
}

function presentSample({ runId, name, bytes, savedAt }: Sample): object {
  return { run_id: runId, name, bytes, saved_at: new Date(savedAt).toISOString() };
}

function refusalOf(kind: Exclude<SaveSampleResult['kind'], 'saved'>): AppError {
  switch (kind) {
    case 'no_run':
      return new AppError('not_found', 'run_id: the sink has no such run; it may have been removed by retention');
    case 'too_large':
      return new AppError('too_large', `the request with its files is larger than the ${MAX_SAMPLE_BYTES} bytes of a sample`);
    case 'too_many':
      return new AppError('conflict', `the sink has ${MAX_SAMPLES_OF_SINK} samples already; delete one first`);
    case 'full':
      return new AppError('conflict', `the samples of all sinks would take more than ${MAX_SAMPLES_BYTES} bytes; delete some first`);
  }
}
