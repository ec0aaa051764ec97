// Starts the longest test files first, so that no worker is left alone with one of them at the end.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than ten seconds on two cores, longest first; those that mostly wait begin beside one that computes. */
const LONGEST = [
  'fault/fault-loop.test.ts',
  'crash/flow-control.test.ts',
  'fault/dripping-receiver.test.ts',
  'crash/poison.test.ts',
  'crash/kill.test.ts',
  'history/history.slow.test.ts',
  'bench/bench-smoke.test.ts',
  'storage/sqlite.slow.test.ts',
  'crash/loops.test.ts',
  'crash/terminate.test.ts',
  'crash/sending.test.ts',
  'core/geometry/iou.slow.test.ts',
  'fault/replaced-files.test.ts',
  'fault/damaged-files.test.ts',
  'docs/docs.slow.test.ts',
  'browser/forms.slow.test.ts',
  'crash/outage.test.ts',
  'fault/held-bodies.test.ts',
  'crash/delivery-restart.test.ts',
  'http/large-bodies.slow.test.ts',
  'fault/failing-calls.test.ts',
  'schedules/server.slow.test.ts',
  'engine/clock-jumps.slow.test.ts',
  'engine/control-flow.slow.test.ts',
  'emitted.slow.test.ts',
  'simulation/simulation.slow.test.ts',
  'crash/cooldown.test.ts',
  'fault/refused-start.test.ts',
  'fault/failing-writes.test.ts',
  'storage/frozen-databases.slow.test.ts',
  'engine/restart.slow.test.ts',
].map((path) => join(import.meta.dirname, path));

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const missing = LONGEST.filter((path) => !existsSync(path));
    if (missing.length > 0) throw new Error(`test/longest-first.ts names files that there are not: ${missing.join(', ')}`);
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.indexOf(moduleId);
  return rank === -1 ? LONGEST.length : rank;
}
