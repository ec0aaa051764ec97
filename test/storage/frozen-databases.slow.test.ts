// A database as each released migration left it, frozen as a dump in SQL: opened now, it is migrated and says what it said.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { upTo } from './contract/workbench.ts';
import { openSqlite } from './open-sqlite.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const SHIPPED = join(import.meta.dirname, '../../migrations/sqlite');
const AT = 1_767_225_600_000;

const frozen = readdirSync(FIXTURES).sort();

async function openFrozen(name: string, onEnd: typeof onTestEnd, change = ''): Promise<Storage> {
  const directory = tempDir(onEnd);
  const database = new Database(join(directory, 'sluice.db'));
  database.exec(readFileSync(join(FIXTURES, name), 'utf8'));
  database.exec(change);
  database.close();
  const { storage } = await openSqlite(directory, () => AT + 9, { acceptLoss: true });
  onEnd(() => storage.close());
  return storage;
}

test('there is a frozen database for every migration', () => {
  expect(frozen).toEqual(readdirSync(SHIPPED).sort());
});

test.each(frozen)('what a server was running and sending when it died, with the database that %s left, is due again', async (name) => {
  const running = `UPDATE runs SET status = 'running', wake_at = ${AT + 5000} WHERE status = 'waiting';`;
  const sending = `UPDATE deliveries SET status = 'sending', due_at = ${AT + 5000} WHERE status = 'queued';`;
  const storage = await openFrozen(name, onTestEnd, name >= '0002' ? running + sending : running);
  expect(await storage.claimDueRuns(upTo(9))).toEqual([]);
  expect(await storage.reapOwners()).toEqual({ recovered: 1, poisoned: [] });
  expect(await storage.claimDueRuns(upTo(9))).toMatchObject([{ workflow: { id: 'pick', version: 1 } }]);
  const claimed = await storage.claimDeliveries([{ origin: 'http://receiver.test', limit: 9, maxBytes: 1000 }]);
  expect(claimed).toHaveLength(name >= '0002' ? 1 : 0);
});

describe.each(frozen)('the database that %s left', (name) => {
  let storage: Storage;
  beforeAll(async () => {
    const cleanups: (() => void | Promise<void>)[] = [];
    storage = await openFrozen(name, (cleanup) => void cleanups.push(cleanup));
    return async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    };
  });

  test('keeps its apps, workflows and sinks', async () => {
    const { apps, workflows, sinks } = await storage.loadDefinitions();
    expect(apps).toEqual([{ id: 'shop', name: 'Shop', managedBy: 'config', createdAt: AT }]);
    expect(workflows).toMatchObject([{ id: 'pick', appId: 'shop', version: 2 }]);
    expect((await storage.findWorkflow('shop', 'pick', 1))?.document).toContain('"values":{"x":1.0}');
    expect(sinks).toEqual([
      {
        id: 'snk_0123456789abcdef',
        appId: 'shop',
        path: '/pick/:id',
        method: 'POST',
        workflowId: 'pick',
        auth: { type: 'none' },
        inputs: {},
        response: { mode: 'stream' },
        limits: { bodyBytes: 1024, formBytes: 1024, fileBytes: 1024, fieldBytes: 1024, files: 6, fields: 6 },
        body: 'auto',
        payload: null,
        publicUrl: null,
        managedBy: 'config',
        createdAt: AT,
        updatedAt: AT,
      },
    ]);
  });

  test('keeps an ended run with its steps and events, its key, and the blob that it names', async () => {
    const [summary] = await storage.listRuns({ appId: 'shop', status: 'completed', limit: 9 });
    const run = await storage.getRun(summary?.id ?? '');
    expect(run).toMatchObject({ status: 'completed', progress: 100, output: '{"x":1.0}', finishedAt: AT + 5 });
    expect(Buffer.from(run?.body ?? []).toString()).toBe('{"price":1.0}');
    expect(run?.steps.map(({ step, status, visit, outputs }) => [step, status, visit, outputs])).toEqual([
      ['a', 'completed', 1, '{"x":1.0}'],
    ]);
    const events = await storage.readEvents(summary?.id ?? '', 0);
    expect(events?.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(events?.ended).toBe(true);
    expect(await storage.findUnreferencedBlobs(['ab'.repeat(32), 'cd'.repeat(32)])).toEqual(['cd'.repeat(32)]);
  });

  test('keeps a waiting run, which is claimed where it stood', async () => {
    expect(await storage.nextWake()).toBe(AT + 9);
    const [run] = await storage.claimDueRuns(upTo(9));
    // Turns are counted since 0009.
    expect(run?.lease.turns).toBe(name >= '0009' ? 4 : 1);
    expect(run).toMatchObject({ sinkId: 'snk_0123456789abcdef', workflow: { id: 'pick', version: 1 }, progress: 60, lastSeq: 3 });
    expect(run?.steps.map(({ step, status, attempt, visit }) => [step, status, attempt, visit])).toEqual([
      ['a', 'completed', 1, 1],
      ['b', 'waiting', 2, 1],
    ]);
    expect(await storage.readEvents(run?.lease.runId ?? '', 1)).toMatchObject({
      events: [
        { seq: 2, progress: 50, step: 'a', message: 'half' },
        { seq: 3, progress: 60, step: 'b', message: 'waits' },
      ],
      ended: false,
    });
  });

  test('keeps its rejections, with the usual reason of their code, and its blocked clients', async () => {
    expect(await storage.listRejections({ limit: 9 })).toMatchObject([
      { position: 3, appId: 'shop', path: '/none', reason: 'no_sink', count: 2, folded: null },
    ]);
    // Blocks are stored since 0013.
    const blocked = name >= '0013' ? [{ range: '203.0.113.0/24', blockedAt: AT, endsAt: AT + 60_000 }] : [];
    expect(await storage.listBlockedClients()).toEqual(blocked);
  });

  if (name >= '0012')
    test('keeps its jobs', async () => {
      expect(await storage.listJobs({ limit: 9 })).toMatchObject([
        { status: 'running', mode: 'dry', matched: 9, failed: 1, runs: { status: 'failed' } },
      ]);
    });

  // 0001 knows of none.
  if (name >= '0002')
    test('keeps its deliveries with their attempts, and what steps remember', async () => {
      expect((await storage.listDeliveries({ appId: 'shop', limit: 9 })).map(({ status }) => status)).toEqual(['queued', 'delivered']);
      expect(await storage.listDueOrigins()).toEqual([{ origin: 'http://receiver.test', dueAt: AT + 9 }]);
      const [claimed] = await storage.claimDeliveries([{ origin: 'http://receiver.test', limit: 9, maxBytes: 1000 }]);
      expect(claimed).toMatchObject({
        message: { transport: 'http', method: 'POST', url: 'http://receiver.test/in', headers: { 'content-type': 'text/plain' } },
        retry: { maxRetries: 2 },
        attempts: 1,
      });
      const delivery = await storage.getDelivery(claimed?.id ?? '');
      expect(delivery?.tries).toMatchObject([{ attempt: 1, result: { kind: 'timeout', phase: 'total' } }]);
      expect(await storage.readMemory('snk_0123456789abcdef', ['cooldown'])).toEqual([{ key: 'cooldown', version: 4, value: '{"at":1}' }]);
    });
});
