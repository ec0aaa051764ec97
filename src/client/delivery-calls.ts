// The administration of deliveries, one method a route.

import type { DeliveryDetails, DeliveryFilter, DeliverySummary, RetriedDeliveries, RetryWish } from './delivery-wire.ts';
import { at, type ServerCalls } from './server-calls.ts';

const MEDIA_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

export const deliveryCalls = ({ call, download }: ServerCalls) => ({
  list: (filter: DeliveryFilter & { limit?: number; cursor?: number } = {}) =>
    call<{ deliveries: DeliverySummary[]; next_cursor: number | null }>('GET', '/api/v1/deliveries', { query: filter }),
  /** With the message and every attempt. */
  get: (deliveryId: string) => call<DeliveryDetails>('GET', at`/api/v1/deliveries/${deliveryId}`),
  /** Rejects with `conflict` for one that has not failed. */
  retry: (deliveryId: string) => call<DeliverySummary>('POST', at`/api/v1/deliveries/${deliveryId}/retry`),
  /** Up to 1,000 at a time; `next_cursor` where there may be more. */
  retryMany: (which: RetryWish) => call<RetriedDeliveries>('POST', '/api/v1/deliveries/retry', { body: which }),
  /** The response whose body is the file, as it is made. */
  export: (format: keyof typeof MEDIA_TYPES, filter: DeliveryFilter = {}, signal?: AbortSignal) =>
    download('/api/v1/deliveries/export', MEDIA_TYPES[format], {
      query: { format, ...filter },
      ...(signal === undefined ? {} : { signal }),
    }),
});
