// Calls of the admin API for deliveries, one method per route.

import { at, type ServerCalls } from './server-calls.ts';
import type { DeliveryDetails, DeliveryFilter, DeliverySummary, RetriedDeliveries, RetrySelection } from './wire/delivery-wire.ts';

const MEDIA_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

export const deliveryCalls = (server: ServerCalls) => ({
  list: (filter: DeliveryFilter & { limit?: number; cursor?: number } = {}) =>
    server.call<{ deliveries: DeliverySummary[]; next_cursor: number | null }>('GET', '/api/v1/deliveries', { query: filter }),
  /** Includes the message and all attempts. */
  get: (deliveryId: string) => server.call<DeliveryDetails>('GET', at`/api/v1/deliveries/${deliveryId}`),
  /** Rejects with `conflict` unless the delivery failed or was dropped. */
  retry: (deliveryId: string) => server.call<DeliverySummary>('POST', at`/api/v1/deliveries/${deliveryId}/retry`),
  /** Retries up to 1,000 deliveries; `next_cursor` is set when there may be more. */
  retryMany: (which: RetrySelection) => server.call<RetriedDeliveries>('POST', '/api/v1/deliveries/retry', { body: which }),
  /** Resolves to a response that streams the file. */
  export: (format: keyof typeof MEDIA_TYPES, filter: DeliveryFilter = {}, signal?: AbortSignal) =>
    server.download('/api/v1/deliveries/export', MEDIA_TYPES[format], {
      query: { format, ...filter },
      ...(signal === undefined ? {} : { signal }),
    }),
});
