// Calls of the admin API for the state of the server.

import type { ServerCalls } from './server-calls.ts';
import type { Time } from './wire/wire-types.ts';

export interface ServerState {
  /** Each count ends at 10,000. */
  runs: { queued: number; running: number; waiting: number };
  oldest_queued_at: Time | null;
  deliveries: { queued: number; sending: number; failed: number };
  /** Origins that are paused after failures. */
  open_circuits: string[];
  streams: number;
  database_bytes: number;
  wal_bytes: number;
  /** Null until they are measured. */
  blob_bytes: number | null;
  disk_free_bytes: number | null;
  version: string;
  uptime_seconds: number;
}

export const statsCalls = (server: ServerCalls) => ({
  now: () => server.call<ServerState>('GET', '/api/v1/stats/now'),
});
