// Storage contract: apps, workflow versions and sinks, changed together or not at all.

import { describe, expect, test } from 'vitest';
import type { FanOutEntry } from '../../../../src/core/sink/fan-out-setting.ts';
import { AppError } from '../../../../src/errors.ts';
import type { DefinitionChange } from '../../../../src/storage/definition-store.ts';
import { completedTurn, NOW, newSink, type Workbench } from '../workbench.ts';

const entry = (workflowId: string): FanOutEntry => ({ workflowId, when: null, inputs: {} });

export function changingDefinitionsContract(workbench: () => Workbench): void {
  const putWorkflow = (appId: string, workflowId: string, document: string): DefinitionChange => ({
    kind: 'put_workflow',
    appId,
    workflowId,
    document,
    managedBy: 'api',
  });

  const change: Workbench['edit'] = (...changes) => workbench().edit(...changes);

  async function definitionsOf(appId: string) {
    const { apps, workflows, sinks } = await workbench().storage.loadDefinitions();
    return {
      app: apps.find(({ id }) => id === appId),
      workflows: workflows.filter((workflow) => workflow.appId === appId),
      sinks: sinks.filter((sink) => sink.appId === appId),
    };
  }

  describe('changeDefinitions', () => {
    test('stores apps, the latest version of workflows, and sinks just as they are', async () => {
      const sink = newSink('def1', {
        workflowId: 'w',
        method: 'ANY',
        path: '/a/:id/*',
        auth: { type: 'bearer', tokens: [{ name: null, endsAt: null, hash: 'ab'.repeat(32) }] },
        inputs: { user: '$request.query.user' },
        response: { mode: 'custom', status: 201, headers: { 'x-a': 'b' }, body: { ok: '$output.ok' } },
        managedBy: 'config',
        updatedAt: NOW + 1,
      });
      await change(
        { kind: 'put_app', app: { id: 'def1', name: 'Shop' }, managedBy: 'config' },
        putWorkflow('def1', 'w', '{"n":1.0}'),
        putWorkflow('def1', 'w', '{"n":2.0}'),
        { kind: 'put_sink', sink },
      );
      expect(await definitionsOf('def1')).toEqual({
        app: { id: 'def1', name: 'Shop', managedBy: 'config', createdAt: NOW },
        workflows: [{ id: 'w', appId: 'def1', version: 2, document: '{"n":2.0}', managedBy: 'api', createdAt: NOW }],
        sinks: [sink],
      });
    });

    test('makes the app when it is first named', async () => {
      await change(putWorkflow('def2', 'w', '{}'));
      await change({ kind: 'put_sink', sink: newSink('def3') });
      expect((await definitionsOf('def2')).app).toMatchObject({ id: 'def2', name: null });
      expect((await definitionsOf('def3')).app).toMatchObject({ id: 'def3', name: null });
    });

    test('replaces the sink with the same id', async () => {
      const sink = newSink('def4');
      await change({ kind: 'put_sink', sink });
      const changed = { ...sink, path: '/new', method: 'PUT' as const, updatedAt: NOW + 5 };
      await change({ kind: 'put_sink', sink: changed });
      expect((await definitionsOf('def4')).sinks).toEqual([changed]);
    });

    test('removes sinks, workflows and apps', async () => {
      const sink = newSink('def5', { workflowId: 'w' });
      await change(putWorkflow('def5', 'w', '{}'), { kind: 'put_sink', sink });
      await change({ kind: 'delete_sink', sinkId: sink.id }, { kind: 'delete_workflow', appId: 'def5', workflowId: 'w' });
      expect(await definitionsOf('def5')).toMatchObject({ workflows: [], sinks: [] });
      await change({ kind: 'delete_app', appId: 'def5' });
      expect(await definitionsOf('def5')).toEqual({ app: undefined, workflows: [], sinks: [] });
    });

    test('frees the path of a sink that was removed', async () => {
      const sink = newSink('def6');
      await change({ kind: 'put_sink', sink });
      await change({ kind: 'delete_sink', sinkId: sink.id }, { kind: 'put_sink', sink: newSink('def6') });
      expect((await definitionsOf('def6')).sinks).toHaveLength(1);
    });

    test.each<[string, AppError['code'], RegExp, (appId: string) => DefinitionChange]>([
      [
        'a sink whose workflow is not there',
        'invalid',
        /"nowhere"/,
        (appId) => ({ kind: 'put_sink', sink: newSink(appId, { workflowId: 'nowhere', path: '/x' }) }),
      ],
      [
        'a sink that clashes',
        'conflict',
        /POST \/hook\/:b clashes with sink snk_\w+ \(POST \/hook\/:a\)/,
        (appId) => ({ kind: 'put_sink', sink: newSink(appId, { path: '/hook/:b' }) }),
      ],
      ['a sink that is not there to be removed', 'not_found', /"snk_none"/, () => ({ kind: 'delete_sink', sinkId: 'snk_none' })],
      [
        'a workflow that is not there to be removed',
        'not_found',
        /"nowhere"/,
        (appId) => ({ kind: 'delete_workflow', appId, workflowId: 'nowhere' }),
      ],
      [
        'a workflow that a sink uses',
        'conflict',
        /"used" is used by POST \/hook\/:a, POST \/single/,
        (appId) => ({ kind: 'delete_workflow', appId, workflowId: 'used' }),
      ],
      [
        'a workflow that a sink uses beside others',
        'conflict',
        /"several" is used by POST \/hook\/:a/,
        (appId) => ({ kind: 'delete_workflow', appId, workflowId: 'several' }),
      ],
      [
        'a sink with a workflow that is not there beside others',
        'invalid',
        /"nowhere"/,
        (appId) => ({ kind: 'put_sink', sink: newSink(appId, { workflows: [entry('used'), entry('nowhere')], path: '/x' }) }),
      ],
      ['an app that is not there', 'not_found', /"nobody"/, () => ({ kind: 'delete_app', appId: 'nobody' })],
      ['an app that holds something', 'conflict', /has 5 sinks or workflows/, (appId) => ({ kind: 'delete_app', appId })],
    ])('refuses %s by name, and does none of the other changes', async (what, code, message, offending) => {
      const appId = `refuse-${what.replaceAll(' ', '-')}`.slice(0, 60);
      const sink = newSink(appId, { path: '/hook/:a', workflowId: null, workflows: [entry('used'), entry('several')] });
      const single = newSink(appId, { path: '/single', workflowId: 'used' });
      await change(
        putWorkflow(appId, 'used', '{}'),
        putWorkflow(appId, 'several', '{}'),
        { kind: 'put_sink', sink },
        { kind: 'put_sink', sink: single },
      );
      const before = await definitionsOf(appId);
      const refused = await change(putWorkflow(appId, 'more', '{}'), offending(appId), {
        kind: 'put_app',
        app: { id: appId, name: 'New' },
        managedBy: 'api',
      }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(AppError);
      expect(refused).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(await definitionsOf(appId)).toEqual(before);
    });

    test('names the sink that a new one clashes with, for programs too', async () => {
      const sink = newSink('def7');
      await change({ kind: 'put_sink', sink });
      await expect(change({ kind: 'put_sink', sink: newSink('def7') })).rejects.toMatchObject({ details: { sink_id: sink.id } });
    });

    test('keeps an app for as long as it has runs', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      await addRun(sink, { turn: completedTurn(1) });
      await change({ kind: 'delete_sink', sinkId: sink.id });
      await expect(change({ kind: 'delete_app', appId: sink.appId })).rejects.toMatchObject({ code: 'conflict' });
      await storage.pruneRuns({ before: NOW + 1000, maxBytes: null, limit: 100_000 });
      await change({ kind: 'delete_app', appId: sink.appId });
    });

    test('leaves the runs of a removed sink readable', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const { runId } = await addRun(sink, { turn: completedTurn(1) });
      await change({ kind: 'delete_sink', sinkId: sink.id });
      expect(await storage.getRun(runId)).toMatchObject({ sinkId: sink.id, appId: sink.appId });
      expect(await storage.listRuns({ sinkId: sink.id, limit: 5 })).toHaveLength(1);
    });
  });

  describe('findWorkflow', () => {
    test('finds a version, or the latest, and null where there is none', async () => {
      const { storage } = workbench();
      await change(putWorkflow('def8', 'w', '"one"'));
      await change(putWorkflow('def8', 'w', '"two"'));
      const documentOf = async (version: number | null) => (await storage.findWorkflow('def8', 'w', version))?.document;
      expect(await documentOf(1)).toBe('"one"');
      expect(await documentOf(2)).toBe('"two"');
      expect(await documentOf(null)).toBe('"two"');
      expect(await storage.findWorkflow('def8', 'w', 3)).toBeNull();
      expect(await storage.findWorkflow('def8', 'other', null)).toBeNull();
      expect(await storage.findWorkflow('nobody', 'w', null)).toBeNull();
    });

    test('keeps the versions of a removed workflow for their runs, and never gives a number twice', async () => {
      const { storage } = workbench();
      await change(putWorkflow('def9', 'w', '"one"'));
      await change({ kind: 'delete_workflow', appId: 'def9', workflowId: 'w' });
      expect(await storage.findWorkflow('def9', 'w', null)).toBeNull();
      expect((await storage.findWorkflow('def9', 'w', 1))?.document).toBe('"one"');
      await change(putWorkflow('def9', 'w', '"two"'));
      expect(await storage.findWorkflow('def9', 'w', null)).toMatchObject({ version: 2, document: '"two"' });
      expect((await storage.findWorkflow('def9', 'w', 1))?.document).toBe('"one"');
    });
  });

  describe('listVersions', () => {
    const pageOf = (appId: string, before = Number.MAX_SAFE_INTEGER, limit = 50) =>
      workbench().storage.listVersions(appId, 'w', { before, limit });

    test('lists the versions of one workflow by pages, newest first and knows the current one', async () => {
      for (const text of ['1', '2', '3']) await change(putWorkflow('def10', 'w', text));
      await change(putWorkflow('def10', 'other', '4'), putWorkflow('def11', 'w', '5'));
      const all = [3, 2, 1].map((version) => ({ version, createdAt: NOW, isCurrent: version === 3 }));
      expect(await pageOf('def10')).toEqual(all);
      expect(await pageOf('def10', Number.MAX_SAFE_INTEGER, 2)).toEqual(all.slice(0, 2));
      expect(await pageOf('def10', 2, 2)).toEqual(all.slice(2));
      expect(await pageOf('def10', 1)).toEqual([]);
      expect(await pageOf('nobody')).toEqual([]);
    });

    test('lists the versions of a removed workflow, none of them current', async () => {
      await change(putWorkflow('def12', 'w', '1'), putWorkflow('def12', 'w', '2'));
      await change({ kind: 'delete_workflow', appId: 'def12', workflowId: 'w' });
      const current = async () => (await pageOf('def12')).map(({ version, isCurrent }) => [version, isCurrent]);
      expect(await current()).toEqual([
        [2, false],
        [1, false],
      ]);
      await change(putWorkflow('def12', 'w', '1'));
      expect(await current()).toEqual([
        [3, true],
        [2, false],
        [1, false],
      ]);
    });
  });
}
