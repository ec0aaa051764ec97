// Gathers triggers that were refused and stores them now and then: the same refusal within a flush is one entry with
// a count, so that a flood of them costs neither memory nor disk.

import type { Clock } from '../clock.ts';
import type { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Rejection } from '../storage/rejection.ts';
import type { Storage } from '../storage/storage.ts';
import { statusOf } from './error-handler.ts';

export type Refusal = Omit<Rejection, 'count' | 'firstAt' | 'lastAt'>;

/** `path` begins with the app's segment. */
export function refusalOf({ code, message }: AppError, { method, path, clientIp }: Pick<Refusal, 'method' | 'path' | 'clientIp'>): Refusal {
  return { appId: path.split('/')[1] || null, method, path, status: statusOf(code), code, message, clientIp };
}

export interface RejectionLog {
  add(refusal: Refusal): void;
  /** Stores what is left and stops. */
  close(): Promise<void>;
}

const FLUSH_EVERY_MS = 1000;
const MAX_GATHERED = 1000;
const MAX_TEXT = 512;

export function createRejectionLog(storage: Pick<Storage, 'recordRejections'>, clock: Clock, logger: Logger): RejectionLog {
  let gathered = new Map<string, Rejection>();

  async function flush(): Promise<void> {
    if (gathered.size === 0) return;
    const rejections = [...gathered.values()];
    gathered = new Map();
    try {
      await storage.recordRejections(rejections);
    } catch (error) {
      logger.warn({ err: error, rejections: rejections.length }, 'refused triggers could not be recorded');
    }
  }

  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS);

  return {
    add(refusal) {
      const { appId, method, status, code, clientIp } = refusal;
      const path = refusal.path.slice(0, MAX_TEXT);
      const message = refusal.message.slice(0, MAX_TEXT);
      const key = JSON.stringify([appId, method, path, status, code, message, clientIp]);
      const now = clock();
      const known = gathered.get(key);
      if (known !== undefined) {
        known.count += 1;
        known.lastAt = now;
      } else if (gathered.size < MAX_GATHERED) {
        gathered.set(key, { ...refusal, path, message, count: 1, firstAt: now, lastAt: now });
      }
    },
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
