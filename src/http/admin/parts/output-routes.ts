// Admin routes for the outputs of a run and of its steps, as bytes: whole or in ranges.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../../errors.ts';
import type { MemoryBudget } from '../../../memory-budget.ts';
import type { RunPart } from '../../../storage/runs/part-store.ts';
import { asAttachment, sendBytes } from './send-bytes.ts';
import { outputBytes, type StoredByteTools } from './stored-bytes.ts';

export interface OutputRouteDependencies extends Omit<StoredByteTools, 'account'> {
  memory: Pick<MemoryBudget, 'answers'>;
}

interface OutputRequest {
  Params: { run_id: string; step?: string; visit?: number };
}

const params = {
  type: 'object',
  properties: {
    run_id: { type: 'string' },
    step: { type: 'string', description: 'as the list of steps names it' },
    visit: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  },
};
const description = 'JSON text with secrets masked. Takes a `Range`, which counts bytes of this text.';

export function outputRoutes(server: FastifyInstance, { memory, ...dependencies }: OutputRouteDependencies): void {
  const tools = { ...dependencies, account: memory.answers };
  const add = (path: string, summary: string, partOf: (params: OutputRequest['Params']) => Exclude<RunPart, { kind: 'body' }>): void => {
    server.get<OutputRequest>(path, { schema: { tags: ['runs'], summary, description, params } }, async (request, reply) => {
      const source = await outputBytes(tools, reply.raw, { runId: request.params.run_id, part: partOf(request.params) });
      if (source === null) throw unknownOutput();
      return sendBytes(request as FastifyRequest, asAttachment(reply), source, memory.answers);
    });
  };
  add('/runs/:run_id/output', 'Get the output of a run as bytes', () => ({ kind: 'output' }));
  add('/runs/:run_id/steps/:step/:visit/outputs', 'Get the outputs of a visit of a step as bytes', ({ step = '', visit = 1 }) => ({
    kind: 'outputs',
    step,
    visit,
  }));
}

function unknownOutput(): AppError {
  return new AppError('not_found', 'there is no such output: no such run, step or visit, or it has none, which `?parts=head` shows');
}
