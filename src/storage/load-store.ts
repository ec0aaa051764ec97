// How much a server has to do, and how much it stores, for its operator.

export interface LoadStore {
  /** Counts what has not ended, along indexes. Each count ends at LOAD_COUNT_LIMIT. */
  measureLoad(): Promise<StoredLoad>;
}

export interface StoredLoad {
  runs: Record<'queued' | 'running' | 'waiting', number>;
  deliveries: Record<'queued' | 'sending' | 'failed', number>;
  /** When the oldest queued run was created. Null: none is queued. */
  oldestQueuedAt: number | null;
  databaseBytes: number;
  /** Of commits that are not in the database file yet. */
  logBytes: number;
}

export const LOAD_COUNT_LIMIT = 10_000;
