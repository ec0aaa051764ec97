// Calls of the admin API for jobs, one method per route.

import { at, type ServerCalls } from './server-calls.ts';
import type { JobInfo, JobStatus, ReplayJobOrder } from './wire/job-wire.ts';

export const jobCalls = (server: ServerCalls) => ({
  /** Counts the runs that `create` would replay. */
  preview: async (order: ReplayJobOrder) =>
    (await server.call<{ matched: number }>('POST', '/api/v1/jobs', { body: { action: 'replay', ...order, preview: true } })).matched,
  create: (order: ReplayJobOrder) =>
    server.call<{ job_id: string; matched: number }>('POST', '/api/v1/jobs', { body: { action: 'replay', ...order } }),
  list: (filter: { status?: JobStatus; limit?: number; cursor?: number } = {}) =>
    server.call<{ jobs: JobInfo[]; next_cursor: number | null }>('GET', '/api/v1/jobs', { query: filter }),
  get: (jobId: string) => server.call<JobInfo>('GET', at`/api/v1/jobs/${jobId}`),
  /** Its replays stay. Rejects with `conflict` if it has ended. */
  cancel: (jobId: string) => server.call<{ job_id: string; status: 'cancelled' }>('POST', at`/api/v1/jobs/${jobId}/cancel`),
});
