// Step memory while several runs of a sink use it at once: a value that was refused is never seen by another run.

import { expect, test } from 'vitest';
import type { RequestHead } from '../../src/core/run/request.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { createGraphPrograms } from '../../src/engine/execution/graph-programs.ts';
import type { Programs, ProgramTools } from '../../src/engine/execution/program.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { StepType } from '../../src/steps/step-type.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { createWorkbench } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { openDatabase } from '../support/open-database.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startBareEngine } from './bare-engine.ts';

/** Outputs what it remembered, and remembers its own name instead. */
const swap: StepType = {
  type: 'test/swap@v1',
  properties: { name_of_run: { type: 'string' } },
  required: ['name_of_run'],
  outputs: () => ['previous'],
  memoryKey: () => 'last',
  plan: ({ name_of_run: name }, { memory }) => ({ kind: 'completed', outputs: { previous: memory }, remember: name }),
};

/** Storage that lets the second run read the memory before the first one is stored, and answers when that one is planned. */
function lateReads(storage: Storage, onSecond: () => void): Storage {
  let read = 0;
  let created = 0;
  let announce: () => void = () => undefined;
  const firstIsPlanned = new Promise<void>((resolve) => {
    announce = resolve;
  });
  return {
    ...storage,
    async readMemory(sinkId, keys) {
      read += 1;
      const isSecond = read === 2;
      const entries = await storage.readMemory(sinkId, keys);
      if (isSecond) await firstIsPlanned;
      return entries;
    },
    createRun(run) {
      created += 1;
      const result = storage.createRun(run);
      if (created === 1) announce();
      if (created === 2) onSecond();
      return result;
    },
  };
}

/** Starts a run under a name; resolves to the name that it saw. */
async function startSwaps(onSecond: () => void): Promise<(name: string) => Promise<string | null>> {
  const { storage, node } = await openDatabase(tempDir());
  onTestEnd(() => storage.close());
  const createPrograms = (tools: ProgramTools): Programs => createGraphPrograms({ ...tools, stepTypes: createStepTypes([swap]) }, storage);
  const { engine } = await startBareEngine({ storage: lateReads(storage, onSecond), node, createPrograms });
  const { id: sinkId, appId } = await createWorkbench({ storage, node }).addSink();
  const received = { content_type: null, files: [], client_ip: '', received_at: 0 };
  const head: RequestHead = { method: 'POST', path: '/', params: {}, query: {}, headers: {}, ...received };
  const body = { kind: 'empty', bytes: new Uint8Array(0), charset: 'utf-8' } as const;
  const outputs = [{ type: 'JsonField', name: 'previous', selector: '$steps.swap.previous' }];
  return async (name) => {
    const steps = [{ type: 'test/swap@v1', name: 'swap', name_of_run: name }];
    const workflow = planWorkflow('w', 1, { version: '1.0', inputs: [], steps, outputs });
    const request = { ...head, body: null };
    const run = { appId, sinkId, workflow, workflowReference: null, head, body, request, inputMapping: {}, flow: null, idempotency: null };
    const { ended } = await engine.dispatch(run);
    return (JSON.parse(ended?.output ?? '{}') as { previous: string | null }).previous;
  };
}

test('a run that starts while another one is refused does not see what that one would have remembered', async () => {
  let third: Promise<string | null> = Promise.resolve(null);
  const start = await startSwaps(() => {
    // The second one is planned now, and will be refused, because it has not seen the value of the first one.
    third = start('third');
  });
  const [first, second] = await Promise.all([start('first'), start('second')]);
  const seen = { first, second, third: await third };
  expect([
    { first: null, second: 'first', third: 'second' },
    { first: null, third: 'first', second: 'third' },
  ]).toContainEqual(seen);
});
