// Presents records in wall time: storage keeps server time (core/run/server-time.ts), and people read the wall clock.

import type { DeliveryRecord, DeliverySummary } from './delivery-records.ts';
import type { JobRecord } from './job-records.ts';
import type { Rejection } from './refusals/rejection-store.ts';
import type { RunHead, StepOutline } from './runs/part-store.ts';
import type { RunFilter, RunRecord, RunSummary } from './runs/run-queries.ts';
import type { Sample } from './samples/sample-store.ts';
import type { Storage } from './storage.ts';

/** Translations between server time and wall time, in ms since the epoch. */
export interface TimeScales {
  toWall(at: number): number;
  fromWall(wall: number): number;
}

/** Returns the same storage, except that its reads for people return wall times and filter by them. */
export function withWallTimes(storage: Storage, scales: TimeScales): Storage {
  return {
    ...storage,
    async getRun(runId) {
      const run = await storage.getRun(runId);
      return run === null ? null : runInWallTime(run, scales);
    },
    async getHead(runId) {
      const head = await storage.getHead(runId);
      return head === null ? null : summaryInWallTime<RunHead>(head, scales);
    },
    async listSteps(...page) {
      const found = await storage.listSteps(...page);
      return found === null ? null : { ...found, steps: found.steps.map((step) => stepInWallTime(step, scales)) };
    },
    listRuns: async (filter) => (await storage.listRuns(filterInServerTime(filter, scales))).map((run) => summaryInWallTime(run, scales)),
    async searchRuns(search) {
      const { runs, last, scanned } = await storage.searchRuns(filterInServerTime(search, scales));
      const lastInWallTime = last === null ? null : { ...last, createdAt: scales.toWall(last.createdAt) };
      return { runs: runs.map((run) => summaryInWallTime(run, scales)), last: lastInWallTime, scanned };
    },
    async measureLoad() {
      const load = await storage.measureLoad();
      return { ...load, oldestQueuedAt: toWallOrNull(load.oldestQueuedAt, scales) };
    },
    async getDelivery(id) {
      const delivery = await storage.getDelivery(id);
      return delivery === null ? null : deliveryInWallTime(delivery, scales);
    },
    listDeliveries: async (filter) => (await storage.listDeliveries(filter)).map((delivery) => deliverySummaryInWallTime(delivery, scales)),
    async getJob(id) {
      const job = await storage.getJob(id);
      return job === null ? null : jobInWallTime(job, scales);
    },
    listJobs: async (filter) => (await storage.listJobs(filter)).map((job) => jobInWallTime(job, scales)),
    async saveSample(sinkId, sample) {
      const result = await storage.saveSample(sinkId, sample);
      return result.kind === 'saved' ? { ...result, sample: sampleInWallTime(result.sample, scales) } : result;
    },
    listSamples: async (sinkId) => (await storage.listSamples(sinkId)).map((sample) => sampleInWallTime(sample, scales)),
    async listRejections({ since, ...filter }) {
      const rejections = await storage.listRejections({ ...filter, ...(since === undefined ? {} : { since: scales.fromWall(since) }) });
      return rejections.map((rejection) => rejectionInWallTime(rejection, scales));
    },
    async getRejection(position) {
      const rejection = await storage.getRejection(position);
      return rejection === null ? null : rejectionInWallTime(rejection, scales);
    },
  };
}

function filterInServerTime<Filter extends RunFilter>(filter: Filter, { fromWall }: TimeScales): Filter {
  const { since, until } = filter;
  return {
    ...filter,
    ...(since === undefined ? {} : { since: fromWall(since) }),
    ...(until === undefined ? {} : { until: fromWall(until) }),
  };
}

function runInWallTime(run: RunRecord, scales: TimeScales): RunRecord {
  return { ...summaryInWallTime(run, scales), steps: run.steps.map((step) => stepInWallTime(step, scales)) };
}

function stepInWallTime<Step extends Pick<StepOutline, 'startedAt' | 'finishedAt' | 'dueAt'>>(step: Step, scales: TimeScales): Step {
  return {
    ...step,
    startedAt: toWallOrNull(step.startedAt, scales),
    finishedAt: toWallOrNull(step.finishedAt, scales),
    dueAt: toWallOrNull(step.dueAt, scales),
  };
}

function summaryInWallTime<Run extends RunSummary>(run: Run, scales: TimeScales): Run {
  return { ...run, createdAt: scales.toWall(run.createdAt), finishedAt: toWallOrNull(run.finishedAt, scales) };
}

function deliveryInWallTime(delivery: DeliveryRecord, scales: TimeScales): DeliveryRecord {
  const tries = delivery.tries.map((attempt) => ({ ...attempt, startedAt: scales.toWall(attempt.startedAt) }));
  return { ...deliverySummaryInWallTime(delivery, scales), tries };
}

function deliverySummaryInWallTime<Delivery extends DeliverySummary>(delivery: Delivery, scales: TimeScales): Delivery {
  return {
    ...delivery,
    dueAt: toWallOrNull(delivery.dueAt, scales),
    createdAt: scales.toWall(delivery.createdAt),
    finishedAt: toWallOrNull(delivery.finishedAt, scales),
  };
}

function rejectionInWallTime<Entry extends Rejection>(rejection: Entry, { toWall }: TimeScales): Entry {
  return { ...rejection, firstAt: toWall(rejection.firstAt), lastAt: toWall(rejection.lastAt) };
}

function sampleInWallTime(sample: Sample, { toWall }: TimeScales): Sample {
  return { ...sample, savedAt: toWall(sample.savedAt) };
}

function jobInWallTime<Job extends JobRecord>(job: Job, scales: TimeScales): Job {
  const { toWall } = scales;
  const { since, until, ...runs } = job.runs;
  const times = { ...(since === undefined ? {} : { since: toWall(since) }), ...(until === undefined ? {} : { until: toWall(until) }) };
  return { ...job, runs: { ...runs, ...times }, createdAt: toWall(job.createdAt), finishedAt: toWallOrNull(job.finishedAt, scales) };
}

function toWallOrNull(at: number | null, { toWall }: TimeScales): number | null {
  return at === null ? null : toWall(at);
}
