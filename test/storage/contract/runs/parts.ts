// Storage contract: runs in bounded parts.

import { describe, expect, test } from 'vitest';
import type { FileHandle } from '../../../../src/core/run/request.ts';
import { MESSAGE_CHARACTERS } from '../../../../src/core/run/run.ts';
import type { RunPart } from '../../../../src/storage/runs/part-store.ts';
import { completedTurn, NOW, runningTurn, step, type Workbench } from '../workbench.ts';

const LONG = 'é'.repeat(MESSAGE_CHARACTERS * 2);
/** What JSON escapes, numbers whose text counts, and characters of several bytes. */
const OUTPUTS = '{"text":"ü\\"\\n€😀","price":1.0,"id":12345678901234567890,"none":null}';

export function runPartsContract(workbench: () => Workbench): void {
  const files: FileHandle[] = ['a', 'b', 'c'].map((name, size) => ({
    name,
    filename: `${name}é.png`,
    content_type: 'image/png',
    size,
    sha256: name.repeat(64),
  }));

  async function addRun() {
    const { storage, addSink, addClaimedRun } = workbench();
    const sink = await addSink();
    const request = { method: 'POST', path: '/é', files, payload: { large: LONG }, batch: [{ method: 'POST' }] };
    const { lease } = await addClaimedRun(sink, {
      request: JSON.stringify(request),
      body: Buffer.from('{"n":"ü"}'),
      turn: {
        steps: [step('first', { outputs: OUTPUTS }), step('none', { outputs: null, status: 'skipped', visit: 2, backTo: ['first'] })],
      },
    });
    const error = { code: 'x', message: LONG, step: 'bad' };
    const steps = [
      step('late', { startedAt: NOW + 9 }),
      step('bad', { status: 'failed', outputs: null, error, startedAt: NOW + 5, finishedAt: null, dueAt: NOW + 7, awaits: 'rpl' }),
      step('a[].b', { startedAt: NOW + 7, outputs: OUTPUTS, visit: 3 }),
    ];
    await storage.advanceRun(lease, runningTurn({ steps }));
    return { sink, lease: { ...lease, turns: lease.turns + 1 }, runId: lease.runId };
  }

  describe('the head of a run', () => {
    test('has the summary, what was asked without what may be large, and the number of everything else', async () => {
      const { storage } = workbench();
      const { sink, lease, runId } = await addRun();
      const [summary] = await storage.listRuns({ sinkId: sink.id, limit: 1 });
      const { request, ...head } = (await storage.getHead(runId)) ?? { request: '' };
      expect(head).toEqual({
        ...summary,
        outputSize: null,
        latestVersion: null,
        bodyKind: 'json',
        bodySize: 10,
        deliveryCount: 0,
        fileCount: 3,
      });
      expect(JSON.parse(request)).toEqual({ method: 'POST', path: '/é' });
      await storage.advanceRun(lease, completedTurn(2, { output: OUTPUTS }));
      expect(await storage.getHead(runId)).toMatchObject({ status: 'completed', outputSize: Buffer.byteLength(OUTPUTS) });
    });

    test('names the latest version of the workflow, as long as it has one', async () => {
      const { storage, addSink, addRun: addRunOf, edit } = workbench();
      const sink = await addSink();
      const put = { kind: 'put_workflow', appId: sink.appId, workflowId: 'w', document: '{}', managedBy: 'api' } as const;
      await edit(put);
      const { runId } = await addRunOf(sink, { workflow: { id: 'w', version: 1 } });
      expect(await storage.getHead(runId)).toMatchObject({ workflow: { id: 'w', version: 1 }, latestVersion: 1 });
      await edit({ ...put, document: '{"a":1}' });
      expect(await storage.getHead(runId)).toMatchObject({ workflow: { id: 'w', version: 1 }, latestVersion: 2 });
      await edit({ kind: 'delete_workflow', appId: sink.appId, workflowId: 'w' });
      expect(await storage.getHead(runId)).toMatchObject({ workflow: { id: 'w', version: 1 }, latestVersion: null });
    });

    test('cuts the message of a long error', async () => {
      const { storage, addSink, addRun: addRunOf } = workbench();
      const error = { code: 'x', message: LONG, step: 's' };
      const { runId } = await addRunOf(await addSink(), { turn: completedTurn(1, { status: 'failed', output: null, error }) });
      const message = 'é'.repeat(MESSAGE_CHARACTERS);
      expect((await storage.getHead(runId))?.error).toEqual({ code: 'x', message, step: 's' });
    });
  });

  describe('listSteps', () => {
    test('gives what getRun gives, in its order, with the size of the outputs in place of them', async () => {
      const { storage } = workbench();
      const { runId } = await addRun();
      const whole = (await storage.getRun(runId))?.steps.map(({ outputs, chosen: _chosen, backTo: _backTo, error, ...rest }) => ({
        ...rest,
        error: error === null ? null : { ...error, message: 'é'.repeat(MESSAGE_CHARACTERS) },
        outputSize: outputs === null ? null : Buffer.byteLength(outputs),
      }));
      expect(whole?.map(({ step: name }) => name)).toEqual(['first', 'none', 'bad', 'a[].b', 'late']);
      expect(await storage.listSteps(runId, 0, 100)).toEqual({ steps: whole, total: 5 });
      for (const size of [1, 2, 3]) {
        const pages = [];
        for (let from = 0; from < 6; from += size) pages.push(...((await storage.listSteps(runId, from, size))?.steps ?? []));
        expect(pages).toEqual(whole);
      }
      expect(await storage.listSteps(runId, 5, 100)).toEqual({ steps: [], total: 5 });
      expect(await storage.listSteps(runId, Number.MAX_SAFE_INTEGER, 1)).toEqual({ steps: [], total: 5 });
    });
  });

  describe('the bytes of a part', () => {
    const bytesOf = async (runId: string, part: RunPart, from = 0, length = 1000): Promise<string | null> => {
      const bytes = await workbench().storage.readPart(runId, part, from, length);
      return bytes === null ? null : Buffer.from(bytes).toString('latin1');
    };
    const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

    test('are those of the body, the output and each visit, from any byte on', async () => {
      const { storage } = workbench();
      const { lease, runId } = await addRun();
      await storage.advanceRun(lease, completedTurn(2, { output: OUTPUTS }));
      const parts: [RunPart, string][] = [
        [{ kind: 'body' }, '{"n":"ü"}'],
        [{ kind: 'output' }, OUTPUTS],
        [{ kind: 'outputs', step: 'first', visit: 1 }, OUTPUTS],
        [{ kind: 'outputs', step: 'a[].b', visit: 3 }, OUTPUTS],
      ];
      for (const [part, text] of parts) {
        const whole = latin1(text);
        expect(await bytesOf(runId, part)).toBe(whole);
        let pieces = '';
        for (let from = 0; from < whole.length; from += 3) pieces += await bytesOf(runId, part, from, 3);
        expect(pieces).toBe(whole);
        expect(await bytesOf(runId, part, whole.length)).toBe('');
        expect(await bytesOf(runId, part, Number.MAX_SAFE_INTEGER - 1)).toBe('');
        if (part.kind === 'body') continue;
        expect(await storage.findOutput(runId, part, 'price":1.0')).toEqual({ size: whole.length, hasText: true });
        expect(await storage.findOutput(runId, part, 'price":2')).toEqual({ size: whole.length, hasText: false });
      }
    });

    test('are none for a visit that there is not, and for one without outputs', async () => {
      const { storage } = workbench();
      const { runId } = await addRun();
      const none: Exclude<RunPart, { kind: 'body' }>[] = [
        { kind: 'output' },
        { kind: 'outputs', step: 'first', visit: 2 },
        { kind: 'outputs', step: 'none', visit: 2 },
        { kind: 'outputs', step: 'bad', visit: 1 },
        { kind: 'outputs', step: '__proto__', visit: 1 },
        { kind: 'outputs', step: "a'/..%\u0000", visit: Number.MAX_SAFE_INTEGER },
      ];
      for (const part of none) {
        expect(await bytesOf(runId, part)).toBeNull();
        expect(await storage.findOutput(runId, part, '')).toBeNull();
      }
      expect(await bytesOf('x', { kind: 'body' })).toBeNull();
    });
  });

  describe('listFiles', () => {
    test('gives the received files page by page', async () => {
      const { storage, addSink, addRun: addRunOf } = workbench();
      const { runId } = await addRun();
      expect(await storage.listFiles(runId, 0, 100)).toEqual(files);
      expect(await storage.listFiles(runId, 1, 1)).toEqual([files[1]]);
      expect(await storage.listFiles(runId, 3, 1)).toEqual([]);
      const { runId: plain } = await addRunOf(await addSink());
      expect(await storage.listFiles(plain, 0, 9)).toEqual([]);
      expect(await storage.listSteps(plain, 0, 9)).toEqual({ steps: [], total: 0 });
    });
  });
}
