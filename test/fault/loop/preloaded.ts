// A process with the preloaded library: runs one fault loop, or a single point of it, and prints a line of JSON for each
// kind of call. Its arguments are those of main.ts.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { blobLoop } from './blob-loop.ts';
import { dataDirectoryLoop } from './data-directory-loop.ts';
import { databaseLoop } from './database-loop.ts';
import { DEFINITIONS, FIRST_START, SCRIPT } from './database-script.ts';
import { FaultControl } from './fault-library.ts';
import { type Loop, runLoop, runPoint } from './fault-loop.ts';
import { CALLS, type Call, type FaultPoint } from './fault-points.ts';
import { stepFileLoop } from './step-file-loop.ts';

const LOOPS: Record<string, (folder: string) => Omit<Loop, 'name'>> = {
  database: (folder) => ({ tryPoint: databaseLoop(folder, SCRIPT, [DEFINITIONS]) }),
  // The migrations write more than all the rest. Half of a write before the disk is full is the worst of the four.
  'first-start': (folder) => ({
    tryPoint: databaseLoop(folder, FIRST_START, null),
    includes: ({ call, fault, duration }) => call !== 'write' || (fault === 'torn' && duration === 'always'),
  }),
  blobs: (folder) => ({ tryPoint: blobLoop(folder) }),
  'step-files': (folder) => ({ tryPoint: stepFileLoop(folder) }),
  'data-directory': (folder) => ({ tryPoint: dataDirectoryLoop(folder) }),
};

async function run([loop = '', call, nth, duration, fault]: string[], control: FaultControl, watched: string): Promise<number> {
  const create = LOOPS[loop];
  if (create === undefined) throw new Error(`there is no loop "${loop}"; write one of ${Object.keys(LOOPS).join(', ')}`);
  const folder = join(watched, loop);
  mkdirSync(folder, { recursive: true });
  const { tryPoint, includes } = create(folder);
  if (nth !== undefined) {
    const outcome = await runPoint({ call, nth: Number(nth), duration, fault } as FaultPoint, control, tryPoint);
    process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
    return outcome.problems.length === 0 ? 0 : 1;
  }
  let problems = 0;
  for (const one of call === undefined ? CALLS : [call as Call]) {
    const report = await runLoop({ name: loop, tryPoint, ...(includes && { includes }) }, one, control);
    problems += report.problems.length;
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  return problems === 0 ? 0 : 1;
}

const { FAULT_CONTROL, FAULT_DIRECTORY } = process.env;
if (FAULT_CONTROL === undefined || FAULT_DIRECTORY === undefined) throw new Error('start main.ts, which preloads the library');
process.exitCode = await run(process.argv.slice(2), new FaultControl(FAULT_CONTROL), FAULT_DIRECTORY);
