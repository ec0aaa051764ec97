// Records as they are shown: their times are stored in server time, and here are those of the wall clock.

import type { DeliverySummary } from './delivery-records.ts';
import type { RunSummary } from './run-records.ts';
import type { Storage } from './storage.ts';

export interface TimeScales {
  /** From server time to what the wall clock showed. */
  toWall(at: number): number;
  fromWall(wall: number): number;
}

/** The same storage, for those who show what they read. */
export function withWallTimes(storage: Storage, { toWall, fromWall }: TimeScales): Storage {
  const shown = (at: number | null): number | null => (at === null ? null : toWall(at));

  const ofRun = <Run extends RunSummary>(run: Run): Run => ({
    ...run,
    createdAt: toWall(run.createdAt),
    finishedAt: shown(run.finishedAt),
  });

  const ofDelivery = <Delivery extends DeliverySummary>(delivery: Delivery): Delivery => ({
    ...delivery,
    dueAt: shown(delivery.dueAt),
    createdAt: toWall(delivery.createdAt),
    finishedAt: shown(delivery.finishedAt),
  });

  return {
    ...storage,
    async getRun(runId) {
      const run = await storage.getRun(runId);
      if (run === null) return null;
      const steps = run.steps.map((step) => ({
        ...step,
        startedAt: shown(step.startedAt),
        finishedAt: shown(step.finishedAt),
        dueAt: shown(step.dueAt),
      }));
      return { ...ofRun(run), steps };
    },
    async listRuns({ since, until, ...filter }) {
      const span = {
        ...(since === undefined ? {} : { since: fromWall(since) }),
        ...(until === undefined ? {} : { until: fromWall(until) }),
      };
      return (await storage.listRuns({ ...filter, ...span })).map(ofRun);
    },
    async getDelivery(id) {
      const delivery = await storage.getDelivery(id);
      if (delivery === null) return null;
      const tries = delivery.tries.map((attempt) => ({ ...attempt, startedAt: toWall(attempt.startedAt) }));
      return { ...ofDelivery(delivery), tries };
    },
    listDeliveries: async (filter) => (await storage.listDeliveries(filter)).map(ofDelivery),
    async listRejections(filter) {
      const rejections = await storage.listRejections(filter);
      return rejections.map((rejection) => ({ ...rejection, firstAt: toWall(rejection.firstAt), lastAt: toWall(rejection.lastAt) }));
    },
  };
}
