// The state of the server now: from memory, and from a few counts along indexes.

import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../clock.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { BlobStore } from '../../../files/blobs.ts';
import type { DiskFloor } from '../../../files/disk-floor.ts';
import type { Storage } from '../../../storage/storage.ts';
import type { EventStreams } from '../../streams/event-streams.ts';

export interface StatsDependencies {
  storage: Pick<Storage, 'measureLoad'>;
  engine: Pick<Engine, 'openCircuits'>;
  streams: Pick<EventStreams, 'openCount'>;
  blobs: Pick<BlobStore, 'keptBytes'>;
  disk: Pick<DiskFloor, 'freeBytes'>;
  /** Server time. */
  clock: Clock;
  version: string;
}

const MAX_ORIGINS = 100;

const count = { type: 'integer', minimum: 0, description: 'at most 10000, where the count ends' };
const bytes = (description: string, type: string | string[] = 'integer') => ({ type, minimum: 0, description });
const counts = (...names: string[]) => ({
  type: 'object',
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, count])),
});

const answer = {
  type: 'object',
  description: 'The state of the server now',
  properties: {
    runs: counts('queued', 'running', 'waiting'),
    oldest_queued_at: { type: ['string', 'null'], description: 'ISO 8601; null if no run is queued' },
    deliveries: counts('queued', 'sending', 'failed'),
    open_circuits: {
      type: 'array',
      items: { type: 'string' },
      description: `origins that are paused after failures, up to ${MAX_ORIGINS}`,
    },
    streams: { type: 'integer', minimum: 0, description: 'open event streams of this process' },
    database_bytes: bytes('of the database file'),
    wal_bytes: bytes('of its write-ahead log'),
    blob_bytes: bytes('of received files, once a minute; null until they are measured', ['integer', 'null']),
    disk_free_bytes: bytes('of the disk of the data directory; null while it cannot be read', ['integer', 'null']),
    version: { type: 'string' },
    uptime_seconds: { type: 'integer', minimum: 0 },
  },
};

export function statsNowRoute(server: FastifyInstance, dependencies: StatsDependencies): void {
  const { storage, engine, streams, blobs, disk, clock, version } = dependencies;
  const startedAt = clock();
  server.get(
    '/stats/now',
    {
      schema: {
        tags: ['stats'],
        summary: 'Get the state of the server now',
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: answer },
      },
    },
    async (_request, reply) => {
      const { runs, deliveries, oldestQueuedAt, databaseBytes, logBytes } = await storage.measureLoad();
      reply.header('cache-control', 'no-store');
      return {
        runs,
        oldest_queued_at: oldestQueuedAt === null ? null : new Date(oldestQueuedAt).toISOString(),
        deliveries,
        open_circuits: engine.openCircuits().slice(0, MAX_ORIGINS),
        streams: streams.openCount,
        database_bytes: databaseBytes,
        wal_bytes: logBytes,
        blob_bytes: blobs.keptBytes(),
        disk_free_bytes: disk.freeBytes(),
        version,
        uptime_seconds: Math.floor((clock() - startedAt) / 1000),
      };
    },
  );
}
