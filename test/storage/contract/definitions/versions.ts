// Storage contract: versions of the definitions. An edit that was planned on another version changes nothing.

import { describe, expect, test } from 'vitest';
import type { DefinitionChange, DefinitionEdit } from '../../../../src/storage/definition-store.ts';
import { NOW, newSink, type Workbench } from '../workbench.ts';

const putWorkflow = (appId: string, document: string): DefinitionChange => ({
  kind: 'put_workflow',
  appId,
  workflowId: 'w',
  document,
  managedBy: 'api',
});

export function definitionVersionsContract(workbench: () => Workbench): void {
  async function currentVersion(): Promise<number> {
    const { storage } = workbench();
    const version = await storage.definitionsVersion();
    expect((await storage.loadDefinitions()).version).toBe(version);
    return version;
  }

  const editOf = (id: string, version: number, ...changes: DefinitionChange[]): DefinitionEdit => ({ id, version, changes, at: NOW });

  describe('the version of the definitions', () => {
    test('counts each edit once, however many changes it has', async () => {
      const { storage } = workbench();
      const version = await currentVersion();
      const one = editOf('count-1', version, putWorkflow('ver1', '1'), putWorkflow('ver1', '2'), putWorkflow('ver1', '3'));
      expect(await storage.changeDefinitions(one)).toMatchObject({ kind: 'changed', definitions: { version: version + 1 } });
      expect(await currentVersion()).toBe(version + 1);
      const two = editOf('count-2', version + 1, putWorkflow('ver1', '4'));
      expect(await storage.changeDefinitions(two)).toMatchObject({ kind: 'changed', definitions: { version: version + 2 } });
      expect(await currentVersion()).toBe(version + 2);
    });

    test('stays when an edit is refused, so that the next one on it is applied', async () => {
      const { storage } = workbench();
      const version = await currentVersion();
      const refused = editOf('refused-1', version, putWorkflow('ver2', '1'), { kind: 'delete_sink', sinkId: 'snk_none' });
      for (let time = 0; time < 2; time += 1) await expect(storage.changeDefinitions(refused)).rejects.toMatchObject({ code: 'not_found' });
      expect(await currentVersion()).toBe(version);
      const next = editOf('refused-2', version, putWorkflow('ver2', '2'));
      expect(await storage.changeDefinitions(next)).toMatchObject({ kind: 'changed', definitions: { version: version + 1 } });
    });
  });

  describe('an edit', () => {
    test.each([-1, 1])('on a version that differs by %i is outdated and changes nothing', async (difference) => {
      const { storage, addSink } = workbench();
      await addSink();
      const before = await storage.loadDefinitions();
      const outdated = editOf(`outdated ${difference}`, before.version + difference, putWorkflow('ver3', '1'));
      expect(await storage.changeDefinitions(outdated)).toEqual({ kind: 'outdated' });
      expect(await storage.loadDefinitions()).toEqual(before);
    });

    test('that is outdated is so even if its changes could not be applied either', async () => {
      const { storage, addSink } = workbench();
      await addSink();
      const edit = editOf('outdated-bad', (await currentVersion()) - 1, { kind: 'delete_sink', sinkId: 'snk_none' });
      expect(await storage.changeDefinitions(edit)).toEqual({ kind: 'outdated' });
    });

    test('called again has changed the definitions, once', async () => {
      const { storage } = workbench();
      const version = await currentVersion();
      const edit = editOf('again-1', version, putWorkflow('ver4', '1'), { kind: 'put_sink', sink: newSink('ver4', { workflowId: 'w' }) });
      for (let time = 0; time < 3; time += 1)
        expect(await storage.changeDefinitions(edit)).toMatchObject({ kind: 'changed', definitions: { version: version + 1 } });
      expect(await currentVersion()).toBe(version + 1);
      expect(await storage.findWorkflow('ver4', 'w', null)).toMatchObject({ version: 1 });
    });

    test('that removes something, called again, has removed it', async () => {
      const { storage, addSink } = workbench();
      const { id } = await addSink();
      const edit = editOf('again-2', await currentVersion(), { kind: 'delete_sink', sinkId: id });
      const first = await storage.changeDefinitions(edit);
      expect(first).toMatchObject({ kind: 'changed' });
      expect(await storage.changeDefinitions(edit)).toEqual(first);
    });

    test('called again after another one is outdated', async () => {
      const { storage } = workbench();
      const version = await currentVersion();
      const edit = editOf('again-3', version, putWorkflow('ver5', '1'));
      expect(await storage.changeDefinitions(edit)).toMatchObject({ kind: 'changed' });
      expect(await storage.changeDefinitions(editOf('again-4', version + 1, putWorkflow('ver5', '2')))).toMatchObject({ kind: 'changed' });
      expect(await storage.changeDefinitions(edit)).toEqual({ kind: 'outdated' });
      expect(await storage.findWorkflow('ver5', 'w', null)).toMatchObject({ version: 2, document: '2' });
    });

    test('with the same changes and another id is another edit', async () => {
      const { storage } = workbench();
      const version = await currentVersion();
      expect(await storage.changeDefinitions(editOf('same-1', version, putWorkflow('ver6', '1')))).toMatchObject({ kind: 'changed' });
      expect(await storage.changeDefinitions(editOf('same-2', version, putWorkflow('ver6', '1')))).toEqual({ kind: 'outdated' });
    });
  });
}
