// Starts that should be refused: with code 1 and one clear line, nothing else.

import { expect } from 'vitest';
import { type SpawnOptions, spawnServer } from '../support/server-process.ts';

/** Starts the server, expects it to refuse, and returns the line in which it says why. */
export async function refusalOf(options: SpawnOptions): Promise<string> {
  const { output, exited } = spawnServer(options);
  expect(await exited, output()).toBe(1);
  const lines = output().trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^sluice: \S/);
  return lines[0] as string;
}
