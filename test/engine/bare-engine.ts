// An engine on a storage, without a server: nothing is large, sent or read unless a test says how.

import { unloadedImages } from '../../src/core/uql/image.ts';
import type { WorkflowVersion } from '../../src/core/workflow/plan.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { createRunFeed } from '../../src/engine/run-feed.ts';
import { createRunIds } from '../../src/ids.ts';
import { createLogger } from '../../src/logger.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';

type Given<Version extends WorkflowVersion> = Pick<EngineOptions<Version>, 'storage' | 'node' | 'createPrograms'> &
  Partial<EngineOptions<Version>>;

/** A started engine, and the lines of its log. It is drained when the test ends. */
export async function startBareEngine<Version extends WorkflowVersion>(
  options: Given<Version>,
): Promise<{ engine: Engine<Version>; logs: string[] }> {
  const logs: string[] = [];
  const { slot, time } = options.node;
  const engine = new Engine({
    memory: plentyOfMemory().runs,
    messageMemory: plentyOfMemory().deliveries,
    largeRuns: {
      start: () => Promise.reject(new Error('no run here is large')),
      render: () => Promise.reject(new Error('no run here is large')),
      check: () => Promise.reject(new Error('no run here is large')),
      close: () => Promise.resolve(),
    },
    feed: createRunFeed(),
    newRunId: createRunIds(time.clock, slot),
    logger: createLogger('info', { write: (line: string) => void logs.push(line) }).logger,
    send: () => Promise.reject(new Error('nothing is sent here')),
    localEffects: {
      loadImages: () => Promise.resolve(unloadedImages),
      writeFile: () => Promise.resolve({ kind: 'written' }),
      readFile: () => Promise.resolve({ kind: 'not_read', error: 'nothing is read here' }),
    },
    secrets: { placeholder: () => null, mask: (_runId, text) => text },
    ...options,
  });
  onTestEnd(() => engine.drain(0));
  await engine.start();
  return { engine, logs };
}
