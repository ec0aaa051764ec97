// Parses which failed or dropped deliveries to retry: their ids, or a filter. An empty body is refused, so that it never
// means all deliveries.

import { refuseFaults } from '../../core/fault.ts';
import { createSchemaCheck } from '../../core/schema.ts';
import { AppError } from '../../errors.ts';
import type { DeliveryFilter } from '../../storage/delivery-records.ts';

export const MAX_RETRIED = 1000;

const id = { type: 'string', minLength: 1, maxLength: 200 };

export const retrySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ids: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_RETRIED,
      items: {
        type: 'string',
        pattern: '^dlv_[0-9a-z]+_[0-9]{1,6}(_[0-9]{1,6})?$',
        description: 'must be the id of a delivery, as dlv_…_0',
      },
    },
    app_id: id,
    sink_id: id,
    run_id: id,
    status: { enum: ['failed', 'dropped'], default: 'failed', description: 'must be "failed" or "dropped"; alone: all that are so' },
    cursor: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'next_cursor of the answer before' },
  },
};

interface RetryRequest {
  ids?: string[];
  app_id?: string;
  sink_id?: string;
  run_id?: string;
  status?: 'failed' | 'dropped';
  cursor?: number;
}

const checkBody = createSchemaCheck(retrySchema);

/** Throws `invalid`. */
export function readRetrySelection(body: unknown): { ids: string[] } | { filter: DeliveryFilter } {
  refuseFaults('the body', checkBody(body ?? {}));
  const { ids, cursor, ...filter } = (body ?? {}) as RetryRequest;
  if (ids !== undefined) {
    if (cursor !== undefined || Object.keys(filter).length > 0)
      throw new AppError('invalid', 'the body has both ids and a filter; send one of them');
    return { ids };
  }
  const { app_id: appId, sink_id: sinkId, run_id: runId, status = 'failed' } = filter;
  if (Object.keys(filter).length === 0)
    throw new AppError(
      'invalid',
      'the body selects no deliveries; send "ids", or a filter with "app_id", "sink_id" or "run_id"; {"status":"failed"} selects all failed deliveries, {"status":"dropped"} all dropped ones',
    );
  return {
    filter: {
      status,
      limit: MAX_RETRIED,
      ...(appId === undefined ? {} : { appId }),
      ...(sinkId === undefined ? {} : { sinkId }),
      ...(runId === undefined ? {} : { runId }),
      ...(cursor === undefined ? {} : { before: cursor }),
    },
  };
}
