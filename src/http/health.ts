// Health checks: whether the process is alive, and whether it can accept work.

import type { FastifyInstance } from 'fastify';
import type { DiskFloor } from '../files/disk-floor.ts';
import { describeMemory, type MemoryBudget } from '../memory-budget.ts';
import type { Storage } from '../storage/storage.ts';

export interface HealthDependencies {
  storage: Pick<Storage, 'ping'>;
  disk: DiskFloor;
  memory: MemoryBudget;
  isStopping: () => boolean;
}

/** A server whose commits take longer cannot accept work. */
const PING_LIMIT_MS = 250;

export function healthRoutes(server: FastifyInstance, { storage, disk, memory, isStopping }: HealthDependencies): void {
  server.get('/healthz', { schema: { tags: ['health'], summary: 'The process is alive' } }, () => ({ status: 'ok' }));

  server.get('/readyz', { schema: { tags: ['health'], summary: 'The server can take new runs' } }, async (_request, reply) => {
    const checks = { accepting: !isStopping(), disk: !disk.isLow(), database: await reachesDisk(storage) };
    const isReady = Object.values(checks).every(Boolean);
    reply.code(isReady ? 200 : 503).header('cache-control', 'no-store');
    return { status: isReady ? 'ready' : 'not_ready', checks, memory: describeMemory(memory) };
  });
}

async function reachesDisk(storage: Pick<Storage, 'ping'>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_LIMIT_MS);
  });
  const done = storage.ping().then(
    () => true,
    () => false,
  );
  return await Promise.race([done, late]).finally(() => clearTimeout(timer));
}
