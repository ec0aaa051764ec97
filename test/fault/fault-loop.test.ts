// Every file call of the database and of the files fails in turn, as SQLite tests itself: the n-th call of a kind, once
// or from then on, for n = 1, 2, 3 and so on until a run meets no fault. `test/fault/loop/main.ts` tries a single point.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { buildFaultLibrary, LOOP_PROGRAM } from './loop/fault-library.ts';
import type { LoopReport } from './loop/fault-loop.ts';
import type { Call } from './loop/fault-points.ts';

/** The fewest points of each kind of call that a loop must meet. Fewer: the library does not see the calls any more. */
const LOOPS: [loop: string, fewest: Partial<Record<Call, number>>][] = [
  ['database', { open: 50, read: 50, write: 500, sync: 50, truncate: 8, rename: 4, unlink: 4, map: 1, close: 5 }],
  ['first-start', { open: 50, read: 20, write: 100, sync: 50, truncate: 8, rename: 4, unlink: 4, map: 1, close: 5 }],
  ['blobs', { open: 50, read: 2, write: 30, sync: 20, rename: 8, unlink: 4, mkdir: 8 }],
  ['step-files', { open: 50, write: 20, sync: 20, mkdir: 20 }],
  ['data-directory', { open: 20, write: 5, sync: 8, rename: 4, unlink: 2, mkdir: 2 }],
];

test.each(LOOPS)(
  'the loop over %s reaches its end: nothing acknowledged is lost, and the next start works',
  { timeout: 600_000 },
  async (loop, fewest) => {
    const reports = await runLoop(loop);
    expect(reports.flatMap(({ problems }) => problems)).toEqual([]);
    const points = Object.fromEntries(reports.map((report) => [report.call, report.points]));
    for (const [call, least] of Object.entries(fewest)) expect(points[call], call).toBeGreaterThanOrEqual(least);
    process.stdout.write(`${loop}: ${summary(reports)}\n`);
  },
);

async function runLoop(loop: string): Promise<LoopReport[]> {
  const folder = memoryDir();
  const env = { ...process.env, ...buildFaultLibrary(folder, join(folder, 'watched')) };
  const child = spawn(process.execPath, [...LOOP_PROGRAM, loop], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestEnd(() => void child.kill());
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(errors).toBe('');
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LoopReport);
}

function summary(reports: readonly LoopReport[]): string {
  const points = reports.reduce((sum, report) => sum + report.points, 0);
  const seconds = reports.reduce((sum, report) => sum + report.milliseconds, 0) / 1000;
  const kinds = reports.filter((report) => report.points > 0).map(({ call, points }) => `${call} ${points}`);
  return `${points} points in ${seconds.toFixed(1)} s (${kinds.join(', ')})`;
}
