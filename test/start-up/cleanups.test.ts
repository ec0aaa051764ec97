import { expect, test } from 'vitest';
import { createLogger } from '../../src/logger.ts';
import { Cleanups } from '../../src/start-up/cleanups.ts';

function createCleanups() {
  const lines: Record<string, unknown>[] = [];
  const { logger } = createLogger('info', { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  return { cleanups: new Cleanups(logger), lines };
}

test('cleanups run one after the other, in reverse order, and once', async () => {
  const { cleanups, lines } = createCleanups();
  const calls: string[] = [];
  cleanups.add(() => void calls.push('first'));
  cleanups.add(async () => {
    await Promise.resolve();
    calls.push('second');
  });
  cleanups.add(() => void calls.push('third'));
  await Promise.all([cleanups.close(), cleanups.close()]);
  expect(calls).toEqual(['third', 'second', 'first']);
  expect(lines).toEqual([]);
});

test('every cleanup runs in spite of failures; the first failure is thrown, and the others are logged', async () => {
  const { cleanups, lines } = createCleanups();
  const calls: string[] = [];
  cleanups.add(() => void calls.push('last'));
  for (const name of ['b', 'a'])
    cleanups.add(() => {
      throw new Error(name);
    });
  await expect(cleanups.close()).rejects.toThrow('a');
  expect(calls).toEqual(['last']);
  expect(lines).toMatchObject([{ level: 'error', msg: 'another part of the server could not close', err: { message: 'b' } }]);
});
