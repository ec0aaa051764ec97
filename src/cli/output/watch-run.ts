// Watches a run to its end: prints progress to standard error, and the output as JSON to standard output.

import type { FollowedRun } from '../../client/client.ts';
import { ExitError, FAILED } from '../exit-error.ts';
import type { Io } from '../io.ts';
import { printHint, printJson } from './output.ts';
import { printable } from './printable.ts';
import { createProgress } from './progress.ts';

/** Rejects with ExitError 1 when the run fails, and with the reason of `interruption` when it is aborted. */
export async function watchRun({ runId, events }: FollowedRun, io: Io, interruption: AbortSignal): Promise<void> {
  const progress = createProgress(io);
  try {
    for await (const event of events) {
      if (event.type === 'progress')
        progress.show(event.progress, [event.step, event.message].filter((part) => part !== undefined).join(': '));
      else {
        progress.close();
        if (event.type === 'complete') return printJson(io, event.output);
        const { code, message, step } = event.error;
        throw new ExitError(printable(`${runId}${step === undefined ? '' : `, step "${step}"`}: ${message} (${code})`), FAILED);
      }
    }
  } finally {
    progress.close();
    if (interruption.aborted) printHint(io, `the run goes on; "sluice run tail ${runId}" shows it again`);
  }
}
