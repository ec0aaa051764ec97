// Searches of runs: by what no index has. A search works in slices, so that none takes long however many runs are stored.

import type { RunCriteria } from '../../core/run/run-criteria.ts';
import type { RunFilter, RunSummary } from './run-queries.ts';

export interface RunSearch extends RunFilter, RunCriteria {
  /** Only the runs of the request with this idempotency key, as long as the key is kept. */
  idempotencyKey?: string;
  /** Only the run of this delivery. */
  deliveryId?: string;
  /** The work of one slice. It looks at one run at least. */
  maxMs: number;
}

export interface SearchSlice {
  /** Newest first. */
  runs: RunSummary[];
  /** How many runs it looked at. */
  scanned: number;
  /** The last of them, which the next slice goes on after. Null: it looked at all. */
  last: { id: string; createdAt: number } | null;
}
