// Closes everything that a test opened when the test ends, last opened first.

import { onTestFinished } from 'vitest';

export function onTestEnd(cleanup: () => void | Promise<void>): void {
  onTestFinished(cleanup);
}
