// The list of runs. Filters that an index serves give pages; the others, and texts, give slices of a search, each with a bound of
// its own, so that no request reads all runs.

import type { FastifyInstance } from 'fastify';
import { createSerialQueue } from '../../../core/values/serial-queue.ts';
import { AppError } from '../../../errors.ts';
import type { RunSummary } from '../../../storage/runs/run-queries.ts';
import type { RunSearch, SearchSlice } from '../../../storage/runs/run-search.ts';
import type { Storage } from '../../../storage/storage.ts';
import { presentRunSummary } from '../presenters.ts';
import { presentReplay } from '../replays/present-job.ts';
import type { MaskSecrets } from '../shown-secrets.ts';
import { isSearch, type ListQuery, readRunFilter, runListQuery } from './run-list-query.ts';

export interface RunListDependencies {
  storage: Pick<Storage, 'listRuns' | 'searchRuns'>;
  maskSecrets: MaskSecrets;
}

/** The work of one slice. */
const SLICE_MS = 150;
const MAX_WAITING = 20;

export function runListRoute(server: FastifyInstance, { storage, maskSecrets }: RunListDependencies): void {
  const searchRuns = createSearches(storage);
  server.get<{ Querystring: ListQuery }>(
    '/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'List or search runs, newest first',
        description:
          'With `text`, `workflow_id`, `client_ip`, `idempotency_key`, `delivery_id` or `replay_of` the answer is one slice of a search. It also has `scanned`, the number of runs that it looked at, and `scanned_to`, when the last of them was created. It may have fewer runs than `limit`, or none: go on from `next_cursor` until that is null.',
        querystring: runListQuery,
      },
    },
    async ({ query }) => {
      const filter = readRunFilter(query);
      const present = (runs: readonly RunSummary[]) => runs.map((run) => presentListed(run, maskSecrets));
      if (isSearch(filter)) {
        const { runs, scanned, last } = await searchRuns({ ...filter, maxMs: SLICE_MS });
        const scannedTo = last === null ? null : new Date(last.createdAt).toISOString();
        return { runs: present(runs), next_cursor: last?.id ?? null, scanned, scanned_to: scannedTo };
      }
      const runs = await storage.listRuns(filter);
      return { runs: present(runs), next_cursor: runs.length === query.limit ? (runs.at(-1)?.id ?? null) : null };
    },
  );
}

function presentListed(run: RunSummary, maskSecrets: MaskSecrets): object {
  const error = run.error === null ? null : { ...run.error, message: maskSecrets(run.id, run.error.message) };
  return { ...presentRunSummary({ ...run, error }), ...presentReplay(run.replay) };
}

/** One slice at a time, so that lists are read between them. */
function createSearches(storage: Pick<Storage, 'searchRuns'>): (search: RunSearch) => Promise<SearchSlice> {
  const serially = createSerialQueue();
  let waiting = 0;
  return async (search) => {
    if (waiting >= MAX_WAITING) throw new AppError('unavailable', 'too many searches wait; try again', { retryAfterSeconds: 1 });
    waiting += 1;
    try {
      return await serially(() => storage.searchRuns(search));
    } finally {
      waiting -= 1;
    }
  };
}
