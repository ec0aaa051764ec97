// Storage contract: pages of runs.

import { describe, expect, test } from 'vitest';
import type { RunStatus } from '../../../../src/core/run/run.ts';
import type { RunFilter, RunRecord } from '../../../../src/storage/runs/run-queries.ts';
import { completedTurn, NOW, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function listingRunsContract(workbench: () => Workbench): void {
  async function listedIds(filter: Partial<RunFilter>): Promise<string[]> {
    return (await workbench().storage.listRuns({ limit: 1000, ...filter })).map(({ id }) => id);
  }

  /** Two sinks of one app, each with a run in every status that lasts, an hour apart, newest first. */
  async function addHistory() {
    const { addSink, addRun } = workbench();
    const one = await addSink();
    const two = await addSink({ appId: one.appId, path: '/other' });
    const runs: { id: string; sinkId: string; status: RunStatus; createdAt: number }[] = [];
    const error = { code: 'x', message: 'y' };
    const endings = [{ status: 'waiting' as const }, completedTurn(2), completedTurn(2, { status: 'failed', output: null, error })];
    for (const [hour, turn] of [...endings, ...endings].entries()) {
      const sink = hour % 2 === 0 ? one : two;
      const createdAt = NOW + hour * HOUR;
      const { runId } = await addRun(sink, { createdAt, turn: { ...turn, at: createdAt } });
      runs.unshift({ id: runId, sinkId: sink.id, status: turn.status, createdAt });
    }
    return {
      appId: one.appId,
      one,
      two,
      runs,
      idsOf: (keep: (run: (typeof runs)[number]) => boolean) => runs.filter(keep).map(({ id }) => id),
    };
  }

  describe('listRuns', () => {
    test('gives the newest first, with how each stands', async () => {
      const { appId, runs } = await addHistory();
      const listed = await workbench().storage.listRuns({ appId, limit: 100 });
      expect(listed.map(({ id, sinkId, status, createdAt }) => ({ id, sinkId, status, createdAt }))).toEqual(runs);
      expect(listed[0]).toMatchObject({
        appId,
        workflow: null,
        progress: 100,
        error: { code: 'x', message: 'y' },
        finishedAt: NOW + 5 * HOUR,
      });
    });

    test('keeps to an app, a sink, a status, and to all of them at once', async () => {
      const { appId, one, two, idsOf } = await addHistory();
      expect(await listedIds({ appId, status: 'completed' })).toEqual(idsOf(({ status }) => status === 'completed'));
      expect(await listedIds({ sinkId: two.id })).toEqual(idsOf(({ sinkId }) => sinkId === two.id));
      expect(await listedIds({ appId, sinkId: one.id, status: 'failed' })).toEqual(
        idsOf(({ sinkId, status }) => sinkId === one.id && status === 'failed'),
      );
      expect(await listedIds({ appId, status: ['waiting', 'failed'] })).toEqual(idsOf(({ status }) => status !== 'completed'));
      expect(await listedIds({ status: 'failed' })).toEqual(expect.arrayContaining(idsOf(({ status }) => status === 'failed')));
    });

    test.each<Partial<RunFilter>>([{ appId: 'nobody' }, { sinkId: 'snk_none' }])(
      'finds nothing for what is not there: %o',
      async (filter) => {
        await addHistory();
        expect(await listedIds(filter)).toEqual([]);
      },
    );

    test('finds nothing for a sink of another app', async () => {
      const { one } = await addHistory();
      const { appId } = await addHistory();
      expect(await listedIds({ appId, sinkId: one.id })).toEqual([]);
    });

    test('keeps to a time: created at or after since, and before until', async () => {
      const { appId, runs, idsOf } = await addHistory();
      const [since, until] = [NOW + 2 * HOUR, NOW + 4 * HOUR];
      expect(await listedIds({ appId, since })).toEqual(idsOf(({ createdAt }) => createdAt >= since));
      expect(await listedIds({ appId, until })).toEqual(idsOf(({ createdAt }) => createdAt < until));
      expect(await listedIds({ appId, since, until, status: 'failed' })).toEqual(
        idsOf(({ createdAt, status }) => createdAt >= since && createdAt < until && status === 'failed'),
      );
      expect(await listedIds({ appId, since: NOW - HOUR, until: NOW + 100 * HOUR })).toHaveLength(runs.length);
    });

    test.each<Partial<RunFilter>>([{}, { status: 'completed' }, { since: NOW + HOUR }])(
      'page by page gives each run once: %o',
      async (filter) => {
        const { appId } = await addHistory();
        const whole = await listedIds({ appId, ...filter });
        const paged: string[] = [];
        for (let page = await listedIds({ appId, ...filter, limit: 2 }); page.length > 0; ) {
          paged.push(...page);
          page = await listedIds({ appId, ...filter, limit: 2, after: page.at(-1) as string });
        }
        expect(paged).toEqual(whole);
      },
    );
  });

  describe('listRequests', () => {
    test('gives the requests of one sink from the oldest on, page by page, whatever became of their runs', async () => {
      const { storage } = workbench();
      const { one, idsOf } = await addHistory();
      const ids = idsOf(({ sinkId }) => sinkId === one.id).reverse();
      const page = await storage.listRequests(one.id, 'run_0000000000000000000000000000000', 2);
      expect(page.map(({ runId }) => runId)).toEqual(ids.slice(0, 2));
      const { request, bodyKind, body } = (await storage.getRun(ids[0] as string)) as RunRecord;
      expect(page[0]).toEqual({ runId: ids[0], request, bodyKind, bodySize: body.byteLength });
      const rest = await storage.listRequests(one.id, ids[1] as string, 100);
      expect(rest.map(({ runId }) => runId)).toEqual(ids.slice(2));
      expect(await storage.listRequests('snk_none', ids[0] as string, 100)).toEqual([]);
    });
  });
}
