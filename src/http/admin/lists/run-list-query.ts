// Reads the query of the list of runs: filters, and what a search looks for.

import { parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import { RUN_STATUSES, type RunStatus } from '../../../core/run/run.ts';
import { SEARCHED_PARTS, type SearchedPart } from '../../../core/run/run-criteria.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import { AppError } from '../../../errors.ts';
import type { RunSearch } from '../../../storage/runs/run-search.ts';
import { readTime } from '../shared/read-time.ts';

export interface ListQuery {
  app_id?: string;
  sink_id?: string;
  status?: string;
  since?: string;
  until?: string;
  workflow_id?: string;
  client_ip?: string;
  idempotency_key?: string;
  delivery_id?: string;
  replay_of?: string;
  text?: string;
  in?: string;
  limit: number;
  cursor?: string;
}

export type RunQuery = Omit<RunSearch, 'maxMs'>;

const MAX_TEXT = 200;

const value = (description: string) => ({ type: 'string', minLength: 1, maxLength: 255, description });

export const runListQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    app_id: { type: 'string' },
    sink_id: { type: 'string' },
    status: { type: 'string', description: `one of ${RUN_STATUSES.join(', ')}, or several, separated by commas` },
    since: { type: 'string', description: 'ISO 8601 time; runs created then or later' },
    until: { type: 'string', description: 'ISO 8601 time; runs created before' },
    workflow_id: value('runs of this workflow, in any version'),
    client_ip: value('runs of requests from this address, as the run shows it; of a batch, its first request'),
    idempotency_key: value('runs of the request with this key, as long as the key is kept'),
    delivery_id: value('the run of this delivery'),
    replay_of: value('replays of this run'),
    text: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_TEXT,
      description: 'runs that contain this text, in upper or lower case; all its characters stand for themselves',
    },
    in: { type: 'string', description: `where to search the text, separated by commas; by default ${SEARCHED_PARTS.join(',')}` },
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    cursor: { type: 'string', description: 'next_cursor of the page before' },
  },
};

export function readRunFilter({ limit, ...query }: ListQuery): RunQuery {
  if (query.in !== undefined && query.text === undefined) throw new AppError('invalid', 'in: says where to search; give the text too');
  return defined({
    limit,
    appId: query.app_id,
    sinkId: query.sink_id,
    status: ifGiven(query.status, (text) => readList<RunStatus>('status', text, RUN_STATUSES)),
    since: ifGiven(query.since, (text) => readTime('since', text)),
    until: ifGiven(query.until, (text) => readTime('until', text)),
    workflowId: query.workflow_id,
    clientIp: query.client_ip,
    idempotencyKey: query.idempotency_key,
    deliveryId: ifGiven(query.delivery_id, (text) => readId('delivery_id', text, parseDeliveryId, 'the id of a delivery, such as dlv_…')),
    replayOf: ifGiven(query.replay_of, (text) => readId('replay_of', text, parseRunId, 'the id of a run, such as run_…')),
    text: ifGiven(query.text, (text) => ({
      text,
      parts: query.in === undefined ? SEARCHED_PARTS : readList<SearchedPart>('in', query.in, SEARCHED_PARTS),
    })),
    after: ifGiven(query.cursor, (text) => readId('cursor', text, parseRunId, 'the next_cursor of the previous page')),
  });
}

/** Whether an index cannot serve the whole filter page by page. */
export function isSearch({ workflowId, clientIp, idempotencyKey, deliveryId, replayOf, text }: RunQuery): boolean {
  return [workflowId, clientIp, idempotencyKey, deliveryId, replayOf, text].some((value) => value !== undefined);
}

function readId(name: string, text: string, parse: (text: string) => object | null, wanted: string): string {
  if (parse(text) === null) throw new AppError('invalid', `${name}: must be ${wanted}`);
  return text;
}

function readList<Word extends string>(name: string, text: string, words: readonly Word[]): Word[] {
  const listed = text.split(',') as Word[];
  const wrong = listed.find((word) => !words.includes(word));
  if (wrong === undefined) return [...new Set(listed)];
  throw new AppError('invalid', `${name}: must be one of ${words.join(', ')}, or several separated by commas`);
}

function ifGiven<Value>(text: string | undefined, read: (text: string) => Value): Value | undefined {
  return text === undefined ? undefined : read(text);
}

function defined(fields: { [Name in keyof RunQuery]: RunQuery[Name] | undefined }): RunQuery {
  return Object.fromEntries(Object.entries(fields).filter(([, given]) => given !== undefined)) as unknown as RunQuery;
}
