// One application for all tests of a file, started before the first and closed after the last.

import { beforeAll } from 'vitest';
import { startTestApp, type TestApp, type TestAppOptions } from './start-app.ts';

/** Returns a getter of the app for use inside tests. `prepare` creates the fixtures of the file. */
export function shareApp(options: TestAppOptions = {}, prepare: (app: TestApp) => Promise<void> = async () => undefined): () => TestApp {
  let shared: TestApp | undefined;
  beforeAll(async () => {
    const cleanups: (() => void | Promise<void>)[] = [];
    shared = await startTestApp({ ...options, onEnd: (cleanup) => void cleanups.push(cleanup) });
    await prepare(shared);
    return async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    };
  });
  return () => shared as TestApp;
}
