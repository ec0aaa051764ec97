// What a test opens is closed when it ends, last opened first.

import { onTestFinished } from 'vitest';

export function onTestEnd(cleanup: () => void | Promise<void>): void {
  onTestFinished(cleanup);
}
