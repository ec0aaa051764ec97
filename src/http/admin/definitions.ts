// Admin routes for all definitions as one document.

import type { FastifyInstance } from 'fastify';
import type { PlannedChange } from '../../definitions/definition-diff.ts';
import type { DefinitionService } from '../../definitions/definition-service.ts';

const body = { type: 'object', description: 'apps, workflows and sinks, as definition files hold them' };

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['definitions'], summary, ...rest } });

export function definitionRoutes(server: FastifyInstance, { definitions }: { definitions: DefinitionService }): void {
  server.get('/definitions', schema('Export all definitions'), () => definitions.exportAll());
  server.post('/definitions/diff', schema('Tell what applying would change', { body }), async (request) =>
    presentChanges(await definitions.diff(request.body)),
  );
  server.post('/definitions/apply', schema('Apply definitions: all or nothing', { body }), async (request) =>
    presentChanges(await definitions.apply(request.body)),
  );
}

function presentChanges(changes: PlannedChange[]): object {
  return { changes: changes.map(({ action, kind, name }) => ({ action, kind, name })) };
}
