// One application for the tests of a file, with a receiver of its own for each test.

import { beforeEach } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import type { TestApp } from '../support/start-app.ts';
import { createReceiver, type Receiver } from './receiver.ts';
import { testSteps } from './test-steps.ts';

export interface SharedEngine {
  app: TestApp;
  receiver: Receiver;
}

/** Returns what the running test works with. `answerAll` makes its receiver answer by itself. */
export function shareEngine(): (answerAll?: number) => SharedEngine {
  let receiver = createReceiver();
  const app = shareApp({ stepTypes: testSteps, send: (request, options) => receiver.send(request, options) });
  beforeEach(() => {
    receiver = createReceiver();
  });
  return (answerAll) => {
    if (answerAll !== undefined) receiver = createReceiver(answerAll);
    return { app: app(), receiver };
  };
}
