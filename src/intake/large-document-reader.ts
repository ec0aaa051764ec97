// Reads large documents in a thread, one at a time, because reading one needs several times its size. The thread starts
// with the first document, and ends after some idle time to free its memory.

import type { Worker } from 'node:worker_threads';
import { parseJson } from '../core/json/json.ts';
import { createSerialQueue } from '../core/values/serial-queue.ts';
import { AppError } from '../errors.ts';
import type { PayloadFault } from '../payloads/format.ts';
import type { Payload } from '../payloads/payload.ts';
import { startWorker } from '../threads/start-worker.ts';
import type { ReadReply, ReadRequest } from './payload-thread.ts';

export interface LargeDocumentReader {
  read(request: ReadRequest): Promise<Payload | PayloadFault>;
  /** Pending reads reject with `unavailable`: their senders are gone, or will retry. */
  close(): Promise<void>;
}

const IDLE_MS = 5000;

export function createLargeDocumentReader(): LargeDocumentReader {
  let worker: Worker | null = null;
  const serially = createSerialQueue();
  let idleTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function end(): Promise<void> {
    clearTimeout(idleTimer);
    const ended = worker;
    worker = null;
    await ended?.terminate();
  }

  function start(): Worker {
    const started = startWorker('intake/payload-thread', { name: 'payload-reader' });
    started.unref();
    return started;
  }

  async function readNow(request: ReadRequest): Promise<Payload | PayloadFault> {
    clearTimeout(idleTimer);
    if (isClosed) throw shuttingDown();
    worker ??= start();
    const reply = await answerOf(worker, request).catch(async (error: unknown) => {
      await end();
      throw isClosed ? shuttingDown() : error;
    });
    idleTimer = setTimeout(() => void end(), IDLE_MS).unref();
    if ('error' in reply) throw reply.error;
    return 'fault' in reply ? reply.fault : (parseJson(reply.payload) as Payload);
  }

  return {
    read: (request) => serially(() => readNow(request)),
    close() {
      isClosed = true;
      return end();
    },
  };
}

function shuttingDown(): AppError {
  return new AppError('unavailable', 'the server is shutting down; try again', { retryAfterSeconds: 5 });
}

function answerOf(worker: Worker, request: ReadRequest): Promise<ReadReply> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: ReadReply): void => settle(() => resolve(reply));
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (): void => settle(() => reject(new Error('the thread that reads large documents ended')));
    const settle = (settleOne: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      settleOne();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(request);
  });
}
