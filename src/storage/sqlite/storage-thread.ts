// The entry of a storage thread: the writer or the reader. A slow disk stalls this thread, not the event loop that serves
// HTTP.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { machineClocks } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { fileFault } from '../../files/file-fault.ts';
import type { Batch } from '../commit-queue.ts';
import { type FaultMessage, packFault, storageFault } from '../storage-fault.ts';
import { callIn, type Operations, type Role, refuseAll, runEachAlone, type ThreadResult } from './batches.ts';
import { type OpenOptions, openReader } from './database-file/open-database.ts';
import { preparingLater } from './later-statements.ts';
import { createReads } from './operations.ts';
import { openWriter } from './writer.ts';

export interface ThreadOptions extends OpenOptions {
  role: 'writer' | 'reader' | 'list-reader';
}

export type ThreadReply =
  | { kind: 'ready' }
  /** The thread could not open the database. The message is for the operator. */
  | { kind: 'refused'; message: string }
  | { kind: 'result'; result: ThreadResult }
  /** The thread cannot continue. Sent without a request. */
  | { kind: 'failed'; fault: FaultMessage };

export type ThreadRequest = 'open' | Batch | 'close';

const TEND_EVERY_MS = 1000;

function openReading(options: OpenOptions): Role {
  const database = openReader(options.directory);
  // A transaction, so that all statements of one read see the same snapshot.
  const read = database.transaction(callIn(createReads(preparingLater(database), machineClocks.elapsedMs) as unknown as Operations));
  return {
    run(batch) {
      try {
        return runEachAlone(batch, (name, args) => read.deferred(name, args));
      } catch (error) {
        return refuseAll(batch, error);
      }
    },
    close: () => {
      database.close();
    },
  };
}

/** Returns the line for the operator. */
export function describeRefusal(error: unknown, directory: string): string {
  const fault = fileFault(storageFault(error));
  const { code, message } = error as { code?: string; message: string };
  if (code === undefined) return message;
  if (fault instanceof AppError) return `cannot open the database in ${directory}: ${fault.message}`;
  return `cannot open the database in ${directory}: ${message} (${code})`;
}

/** Opens the database on the first request, and replies whether that succeeded. */
function serve(port: MessagePort, options: ThreadOptions): void {
  const reply = (message: ThreadReply): void => port.postMessage(message);
  let role: Role | undefined;
  let tending: NodeJS.Timeout | undefined;

  function tend(): void {
    try {
      role?.tend?.();
    } catch (error) {
      clearInterval(tending);
      reply({ kind: 'failed', fault: packFault(error) });
    }
  }

  function open(): void {
    try {
      role = options.role === 'writer' ? openWriter(options) : openReading(options);
      if (role.tend !== undefined) tending = setInterval(tend, TEND_EVERY_MS);
      reply({ kind: 'ready' });
    } catch (error) {
      reply({ kind: 'refused', message: describeRefusal(error, options.directory) });
      port.close();
    }
  }

  port.on('message', (message: ThreadRequest) => {
    if (message === 'open') return open();
    if (message !== 'close') {
      // A thread that could not open refuses its calls by that.
      if (role !== undefined) reply({ kind: 'result', result: role.run(message) });
      return;
    }
    clearInterval(tending);
    role?.close();
    port.close();
  });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadOptions);
