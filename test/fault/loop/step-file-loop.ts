// Lets each file call of step files fail in turn. A new file is complete or absent; an entry of a log that was acknowledged
// is complete.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type StepFileWrite, writeStepFile } from '../../../src/files/step-files.ts';
import type { FaultControl } from './fault-library.ts';
import type { TryPoint } from './fault-loop.ts';
import { FileChecks } from './file-checks.ts';

const LOG = 'logs/today.csv';
const WRITES: readonly StepFileWrite[] = [
  { path: 'reports/daily/first.json', content: 'first'.repeat(10_000), mode: 'create' },
  { path: LOG, content: 'one,1\n', mode: 'append' },
  { path: LOG, content: 'two,2\n', mode: 'append' },
  { path: 'second.json', content: '{"second":true}', mode: 'create' },
  { path: LOG, content: 'six,6\n', mode: 'append' },
];

export function stepFileLoop(folder: string): TryPoint {
  return async (_point, control) => {
    control.pause();
    const directory = mkdtempSync(join(folder, 'files-'));
    try {
      return await tryWrites(join(directory, 'files'), control);
    } finally {
      control.pause();
      rmSync(directory, { recursive: true });
    }
  };
}

async function tryWrites(directory: string, control: FaultControl): Promise<string[]> {
  const checks = new FileChecks(control);
  control.resume();
  const written: boolean[] = [];
  for (const write of WRITES) written.push(await tryWrite(directory, write, checks));
  control.pause();
  for (const [index, { path, mode, content }] of WRITES.entries()) {
    if (mode === 'append') continue;
    const found = existsSync(join(directory, path)) ? readFileSync(join(directory, path), 'utf8') : null;
    checks.check(
      found === (written[index] ? content : null),
      `${path} has ${found?.length ?? 'no'} characters, written: ${written[index]}`,
    );
  }
  checkLog(existsSync(join(directory, LOG)) ? readFileSync(join(directory, LOG), 'utf8') : '', written, checks);
  for (const [index, write] of WRITES.entries()) {
    if (written[index] === true) continue;
    const result = await writeStepFile(directory, write);
    checks.check(result.kind === 'written', `the next write of ${write.path} fails: ${JSON.stringify(result)}`);
  }
  return checks.problems;
}

async function tryWrite(directory: string, write: StepFileWrite, checks: FileChecks): Promise<boolean> {
  return checks.succeeds(write.path, async () => {
    const result = await writeStepFile(directory, write).catch((error: Error) => {
      checks.problems.push(`writeStepFile rejects, although it returns its faults: ${error.message}`);
      throw error;
    });
    if (result.kind === 'not_written') throw new Error(result.error);
  });
}

/** Every entry in order: whole if it was acknowledged, else any part of it from its beginning. */
function checkLog(text: string, written: readonly boolean[], checks: FileChecks): void {
  let rest = text;
  for (const [index, { mode, content }] of WRITES.entries()) {
    if (mode !== 'append') continue;
    let length = content.length;
    while (!rest.startsWith(content.slice(0, length))) length -= 1;
    checks.check(
      length === content.length || !written[index],
      `the entry ${JSON.stringify(content)} was acknowledged: ${JSON.stringify(text)}`,
    );
    rest = rest.slice(length);
  }
  checks.check(rest === '', `the log has more than its entries: ${JSON.stringify(text)}`);
}
