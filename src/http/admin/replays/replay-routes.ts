// Admin routes for replays: of one run at once, and of many as a job.

import type { FastifyInstance } from 'fastify';
import { JOB_STATUSES } from '../../../core/run/replay.ts';
import { AppError } from '../../../errors.ts';
import type { ReplayJobs } from '../../../replays/replay-jobs.ts';
import type { Replayer } from '../../../replays/replayer.ts';
import type { JobStatus } from '../../../storage/job-records.ts';
import type { Storage } from '../../../storage/storage.ts';
import { unknownRun } from '../../streams/run-routes.ts';
import { jobSchema, readJobBody } from './job-body.ts';
import { presentJob } from './present-job.ts';
import { readReplayBody, replaySchema } from './replay-body.ts';

export interface ReplayRouteDependencies {
  storage: Pick<Storage, 'getRun' | 'getJob' | 'listJobs'>;
  replayer: Pick<Replayer, 'replay'>;
  jobs: Pick<ReplayJobs, 'preview' | 'create' | 'cancel'>;
}

interface JobParams {
  job_id: string;
}

const listQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    status: { type: 'string', enum: JOB_STATUSES },
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    cursor: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'next_cursor of the page before' },
  },
};

const schema = (tag: string, summary: string, rest: object = {}) => ({ schema: { tags: [tag], summary, ...rest } });

export function replayRoutes(server: FastifyInstance, dependencies: ReplayRouteDependencies): void {
  replayRoute(server, dependencies);
  createJobRoute(server, dependencies);
  readJobRoutes(server, dependencies);
  cancelJobRoute(server, dependencies);
}

function replayRoute(server: FastifyInstance, { storage, replayer }: ReplayRouteDependencies): void {
  server.post<{ Params: { run_id: string }; Body: unknown }>(
    '/runs/:run_id/replay',
    schema('runs', 'Run the same request again, as a new run', { body: replaySchema }),
    async ({ params, body }, reply) => {
      const order = readReplayBody(body);
      const run = await storage.getRun(params.run_id);
      if (run === null) throw unknownRun();
      const replayed = await replayer.replay(run, { ...order, jobId: null });
      reply.code(202).header('location', `/runs/${replayed.runId}`);
      return { run_id: replayed.runId, status: replayed.ended?.status ?? 'queued', replay_of: params.run_id, mode: order.mode };
    },
  );
}

function createJobRoute(server: FastifyInstance, { jobs }: ReplayRouteDependencies): void {
  server.post<{ Body: unknown }>(
    '/jobs',
    schema('jobs', 'Replay all ended runs that match a filter, at a rate', { body: jobSchema }),
    async ({ body }, reply) => {
      const { order, isPreview } = readJobBody(body);
      if (isPreview) return { matched: await jobs.preview(order.runs) };
      const { id, matched } = await jobs.create(order);
      reply.code(202).header('location', `/api/v1/jobs/${id}`);
      return { job_id: id, matched };
    },
  );
}

function readJobRoutes(server: FastifyInstance, { storage }: ReplayRouteDependencies): void {
  server.get<{ Querystring: { status?: JobStatus; limit: number; cursor?: number } }>(
    '/jobs',
    schema('jobs', 'List jobs, newest first', { querystring: listQuery }),
    async ({ query: { status, limit, cursor } }) => {
      const jobs = await storage.listJobs({
        limit,
        ...(status === undefined ? {} : { status }),
        ...(cursor === undefined ? {} : { before: cursor }),
      });
      return { jobs: jobs.map(presentJob), next_cursor: jobs.length === limit ? (jobs.at(-1)?.place ?? null) : null };
    },
  );
  server.get<{ Params: JobParams }>('/jobs/:job_id', schema('jobs', 'Get a job with its counts'), async ({ params }) => {
    const job = await storage.getJob(params.job_id);
    if (job === null) throw unknownJob();
    return presentJob(job);
  });
}

function cancelJobRoute(server: FastifyInstance, { jobs }: ReplayRouteDependencies): void {
  server.post<{ Params: JobParams }>(
    '/jobs/:job_id/cancel',
    schema('jobs', 'Cancel a job that has not ended; its replays stay'),
    async ({ params }) => {
      const result = await jobs.cancel(params.job_id);
      if (result === null) throw unknownJob();
      if (!result.cancelled) throw new AppError('conflict', 'the job has already ended and cannot be cancelled');
      return { job_id: params.job_id, status: 'cancelled' };
    },
  );
}

function unknownJob(): AppError {
  return new AppError('not_found', 'there is no such job; it may have been removed by retention');
}
