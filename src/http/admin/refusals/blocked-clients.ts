// Admin routes for clients that may not trigger any sink.

import type { FastifyInstance } from 'fastify';
import { refuseFaults } from '../../../core/fault.ts';
import { createSchemaCheck } from '../../../core/schema.ts';
import type { BlockedClient } from '../../../storage/refusals/client-store.ts';
import type { BlockedClients } from '../../limits/blocked-clients.ts';

export interface BlockRouteDependencies {
  blocked: BlockedClients;
}

const address = { type: 'string', minLength: 1, maxLength: 100, description: 'an address or a CIDR, as "203.0.113.9"' };
const blockSchema = {
  type: 'object',
  required: ['address'],
  additionalProperties: false,
  properties: {
    address,
    for_seconds: { type: 'integer', minimum: 1, maximum: 31_622_400, default: 3600, description: 'at most a year' },
  },
};
const unblockSchema = { type: 'object', required: ['address'], additionalProperties: false, properties: { address } };

const DEFAULT_SECONDS = 3600;

const checkBlock = createSchemaCheck(blockSchema);
const checkUnblock = createSchemaCheck(unblockSchema);

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['clients'], summary, ...rest } });

export function blockRoutes(server: FastifyInstance, { blocked }: BlockRouteDependencies): void {
  server.get('/clients/blocked', schema('List blocked clients'), () => ({ clients: blocked.list().map(present) }));
  server.post<{ Body: unknown }>(
    '/clients/block',
    schema('Block a client at all sinks for a time; a blocked one gets the new end', { body: blockSchema }),
    async ({ body }) => {
      refuseFaults('the body', checkBlock(body ?? {}));
      const given = body as { address: string; for_seconds?: number };
      return present(await blocked.block(given.address, (given.for_seconds ?? DEFAULT_SECONDS) * 1000));
    },
  );
  server.post<{ Body: unknown }>('/clients/unblock', schema('Unblock a client', { body: unblockSchema }), async ({ body }) => {
    refuseFaults('the body', checkUnblock(body ?? {}));
    return { address: await blocked.unblock((body as { address: string }).address) };
  });
}

function present({ range, blockedAt, endsAt }: BlockedClient): object {
  return { address: range, blocked_at: new Date(blockedAt).toISOString(), ends_at: new Date(endsAt).toISOString() };
}
