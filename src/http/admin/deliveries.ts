// Admin routes for deliveries: list by index, get with attempts, manual retry, export in pages.

import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../core/delivery/delivery.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { DeliveryFilter, ListedDelivery } from '../../storage/delivery-records.ts';
import type { Storage } from '../../storage/storage.ts';
import { EXPORT_FORMATS, type ExportFormat } from './export-deliveries.ts';
import { presentDelivery, presentDeliveryInFull } from './present-delivery.ts';
import { MAX_RETRIED, readRetrySelection, retrySchema } from './retry-selection.ts';
import type { MaskSecrets } from './shown-secrets.ts';

export interface DeliveryRouteDependencies {
  storage: Pick<Storage, 'getDelivery' | 'listDeliveries'>;
  engine: Pick<Engine, 'retryDeliveries'>;
  maskSecrets: MaskSecrets;
}

interface DeliveryParams {
  delivery_id: string;
}

interface FilterQuery {
  app_id?: string;
  sink_id?: string;
  run_id?: string;
  status?: DeliveryStatus;
  cursor?: number;
}

const EXPORT_PAGE = 500;

const filterProperties = {
  app_id: { type: 'string' },
  sink_id: { type: 'string' },
  run_id: { type: 'string' },
  status: {
    type: 'string',
    enum: DELIVERY_STATUSES,
    description: 'failed ones are the dead letters; of dropped ones the receiver was behind',
  },
};
const listQuery = {
  ...filterProperties,
  limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
  cursor: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'next_cursor of the page before' },
};
const exportQuery = { format: { type: 'string', enum: Object.keys(EXPORT_FORMATS), default: 'ndjson' }, ...filterProperties };

const schema = (summary: string, rest: object = {}) => ({ schema: { tags: ['deliveries'], summary, ...rest } });
const query = (properties: object) => ({ querystring: { type: 'object', additionalProperties: false, properties } });

export function deliveryRoutes(server: FastifyInstance, dependencies: DeliveryRouteDependencies): void {
  listRoute(server, dependencies);
  exportRoute(server, dependencies);
  getRoute(server, dependencies);
  retryRoute(server, dependencies);
  retryManyRoute(server, dependencies);
}

function listRoute(server: FastifyInstance, { storage, maskSecrets }: DeliveryRouteDependencies): void {
  server.get<{ Querystring: FilterQuery & { limit: number } }>(
    '/deliveries',
    schema('List deliveries, newest first', query(listQuery)),
    async ({ query: filterQuery }) => {
      const deliveries = await storage.listDeliveries(readFilter(filterQuery, filterQuery.limit));
      return {
        deliveries: deliveries.map((delivery) => presentDelivery(delivery, maskSecrets)),
        next_cursor: nextCursor(deliveries, filterQuery.limit),
      };
    },
  );
}

function exportRoute(server: FastifyInstance, dependencies: DeliveryRouteDependencies): void {
  server.get<{ Querystring: FilterQuery & { format: keyof typeof EXPORT_FORMATS } }>(
    '/deliveries/export',
    schema('Export deliveries as JSON lines or CSV, newest first', query(exportQuery)),
    async ({ query: filterQuery }, reply) => {
      const { [filterQuery.format]: format } = EXPORT_FORMATS;
      const filter = readFilter(filterQuery, EXPORT_PAGE);
      // Read before the head is sent, so that a failure still gets an error status.
      const firstPage = await dependencies.storage.listDeliveries(filter);
      reply.header('content-type', format.contentType).header('content-disposition', `attachment; filename="${format.fileName}"`);
      return reply.send(Readable.from(exportPages(filter, firstPage, format, dependencies)));
    },
  );
}

/** Keeps one page in memory; reads it once the previous page is sent. */
async function* exportPages(
  filter: DeliveryFilter,
  firstPage: ListedDelivery[],
  { head, line }: ExportFormat,
  { storage, maskSecrets }: DeliveryRouteDependencies,
): AsyncGenerator<string> {
  if (head !== '') yield head;
  for (let page = firstPage; page.length > 0; ) {
    yield page.map((delivery) => line(presentDelivery(delivery, maskSecrets))).join('');
    const before = nextCursor(page, EXPORT_PAGE);
    page = before === null ? [] : await storage.listDeliveries({ ...filter, before });
  }
}

function getRoute(server: FastifyInstance, { storage, maskSecrets }: DeliveryRouteDependencies): void {
  server.get<{ Params: DeliveryParams }>(
    '/deliveries/:delivery_id',
    schema('Get a delivery with its message and attempts'),
    async ({ params }) => {
      const delivery = await storage.getDelivery(params.delivery_id);
      if (delivery === null) throw unknownDelivery();
      return presentDeliveryInFull(delivery, maskSecrets);
    },
  );
}

function retryRoute(server: FastifyInstance, { storage, engine, maskSecrets }: DeliveryRouteDependencies): void {
  server.post<{ Params: DeliveryParams }>(
    '/deliveries/:delivery_id/retry',
    schema('Give a delivery that failed or was dropped another round of attempts'),
    async ({ params }, reply) => {
      const { delivery_id: id } = params;
      const before = await storage.getDelivery(id);
      if (before === null) throw unknownDelivery();
      const retried = isRetried(before.status) ? await engine.retryDeliveries([id]) : [];
      const after = (await storage.getDelivery(id)) ?? before;
      if (retried.length === 0) throw notRetried(after.status);
      reply.code(202);
      return presentDelivery(after, maskSecrets);
    },
  );
}

function retryManyRoute(server: FastifyInstance, { storage, engine }: DeliveryRouteDependencies): void {
  server.post<{ Body: unknown }>(
    '/deliveries/retry',
    schema(`Start another round of attempts for up to ${MAX_RETRIED} failed or dropped deliveries`, { body: retrySchema }),
    async ({ body }, reply) => {
      const selection = readRetrySelection(body);
      const page = 'ids' in selection ? [] : await storage.listDeliveries(selection.filter);
      const ids = await engine.retryDeliveries('ids' in selection ? selection.ids : page.map(({ id }) => id));
      reply.code(202);
      return { retried: ids.length, ids, next_cursor: nextCursor(page, MAX_RETRIED) };
    },
  );
}

function readFilter({ app_id: appId, sink_id: sinkId, run_id: runId, status, cursor }: FilterQuery, limit: number): DeliveryFilter {
  return {
    limit,
    ...(appId === undefined ? {} : { appId }),
    ...(sinkId === undefined ? {} : { sinkId }),
    ...(runId === undefined ? {} : { runId }),
    ...(status === undefined ? {} : { status }),
    ...(cursor === undefined ? {} : { before: cursor }),
  };
}

function nextCursor(page: readonly ListedDelivery[], limit: number): number | null {
  return page.length === limit ? (page.at(-1)?.position ?? null) : null;
}

const isRetried = (status: DeliveryStatus): boolean => status === 'failed' || status === 'dropped';

function notRetried(status: DeliveryStatus): AppError {
  return new AppError(
    'conflict',
    isRetried(status)
      ? 'cannot retry: a newer delivery with the same overflow key is pending; try again when it is finished'
      : `cannot retry: the delivery is ${status}; only failed and dropped deliveries can be retried`,
  );
}

function unknownDelivery(): AppError {
  return new AppError('not_found', 'there is no such delivery; it may have been removed by retention, with its run');
}
