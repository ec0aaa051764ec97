// Storage contract: two owners edit and read the definitions at once.

import { describe, expect, test } from 'vitest';
import type { DefinitionEdit } from '../../../../src/storage/definition-store.ts';
import { NOW, newSink, type Owners } from '../workbench.ts';
import { race } from './race.ts';

export function definitionRacesContract(owners: Owners): void {
  describe('two owners that edit the definitions at the same moment', () => {
    test('on the same version apply one edit, and the other is outdated', async () => {
      await race(owners, async (first, second, round) => {
        const version = await first.storage.definitionsVersion();
        const editOf = (appId: string): DefinitionEdit => ({
          id: `race ${appId} ${round}`,
          version,
          changes: [{ kind: 'put_workflow', appId, workflowId: 'w', document: String(round), managedBy: 'api' }],
          at: NOW,
        });
        const results = await Promise.all([
          first.storage.changeDefinitions(editOf('race1')),
          second.storage.changeDefinitions(editOf('race2')),
        ]);
        expect(results).toContainEqual({ kind: 'changed', definitions: expect.objectContaining({ version: version + 1 }) });
        expect(results).toContainEqual({ kind: 'outdated' });
        expect(await second.storage.definitionsVersion()).toBe(version + 1);
      });
    });

    test('are read as of one moment: every sink with its workflow, of the version that is named', async () => {
      const [writer, reader] = [owners.one(), owners.other()];
      const { appId } = await writer.addSink();
      const put = { kind: 'put_workflow', appId, workflowId: 'w', document: '{}', managedBy: 'api' } as const;
      const seen = new Map<number, unknown>();
      async function read(): Promise<void> {
        const { version, ...definitions } = await reader.storage.loadDefinitions();
        const hasWorkflow = definitions.workflows.some((workflow) => workflow.appId === appId);
        const hasSink = definitions.sinks.some((sink) => sink.appId === appId && sink.workflowId === 'w');
        expect(hasSink).toBe(hasWorkflow);
        expect(definitions).toEqual(seen.get(version) ?? definitions);
        seen.set(version, definitions);
      }
      for (let round = 0; round < 25; round += 1) {
        const sink = newSink(appId, { workflowId: 'w', path: '/other' });
        await Promise.all([writer.edit(put, { kind: 'put_sink', sink }), read(), read(), read()]);
        const removal = writer.edit({ kind: 'delete_sink', sinkId: sink.id }, { kind: 'delete_workflow', appId, workflowId: 'w' });
        await Promise.all([removal, read(), read(), read()]);
      }
    });
  });
}
