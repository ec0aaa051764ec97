// Records refused triggers. Text from callers is cut, refusals are counted in entries, and entries are stored at a bounded
// rate, so that a flood of refusals costs neither memory nor disk.

import type { Clock } from '../../clock.ts';
import { isAppId } from '../../core/app.ts';
import { hideSecretPairs } from '../../core/secrets/caller-secrets.ts';
import { cutText } from '../../core/values/cut-text.ts';
import type { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { RejectionChange } from '../../storage/rejection-store.ts';
import type { Storage } from '../../storage/storage.ts';
import { statusOf } from '../error-handler.ts';
import { createRejectionEntries, type RefusedTrigger, type RejectionEntry } from './rejection-entries.ts';

/** `sinkId` is absent when no sink matched. */
type RefusedRequest = Pick<RefusedTrigger, 'method' | 'path' | 'clientIp'> & { sinkId?: string | null | undefined };

/** `path` begins with the app's segment. */
export function refusalOf({ code, message }: AppError, { sinkId = null, method, path, clientIp }: RefusedRequest): RefusedTrigger {
  const [, app = ''] = path.split('/', 2);
  const appId = isAppId(app) ? app : null;
  const shown = { path: hideSecretPairs(path), message: hideSecretPairs(message) };
  return { sinkId, appId, method, status: statusOf(code), code, clientIp, ...shown };
}

export interface RejectionLog {
  add(refusal: RefusedTrigger): void;
  /** Stores what is left and stops. */
  close(): Promise<void>;
}

const FLUSH_EVERY_MS = 1000;
/** Per flush; the other entries wait for the next. */
const MAX_STORED_PER_FLUSH = 100;
/** How long an entry counts refusals; a flood that goes on then gets a new one. */
const ENTRY_LIFE_MS = 600_000;
/** In bytes. */
const MAX_BYTES = { appId: 64, method: 32, path: 512, message: 512, clientIp: 64 };

export function createRejectionLog(storage: Pick<Storage, 'recordRejections'>, clock: Clock, logger: Logger): RejectionLog {
  const entries = createRejectionEntries();
  const unstored = new Set<RejectionEntry>();

  /** Resolves to false when storing failed; the entries are kept for the next flush. */
  async function store(): Promise<boolean> {
    const stored = [...unstored].slice(0, MAX_STORED_PER_FLUSH);
    const changes = stored.map(({ change }) => ({ ...change }));
    for (const entry of stored) {
      unstored.delete(entry);
      entry.change.count = 0;
    }
    try {
      const positions = await storage.recordRejections(changes);
      for (const [index, { change }] of stored.entries()) change.position = positions[index] as number;
      return true;
    } catch (error) {
      for (const [index, entry] of stored.entries()) {
        entry.change.count += (changes[index] as RejectionChange).count;
        unstored.add(entry);
      }
      logger.warn({ err: error, entries: stored.length }, 'refused triggers could not be recorded; trying again');
      return false;
    }
  }

  let storing: Promise<boolean> | null = null;
  function flush(): Promise<boolean> {
    storing ??= (unstored.size === 0 ? Promise.resolve(true) : store()).finally(() => {
      storing = null;
      entries.forget(performance.now() - ENTRY_LIFE_MS, (entry) => unstored.has(entry));
    });
    return storing;
  }

  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS);

  return {
    add(refusal) {
      const { appId, method, path, message, clientIp } = refusal;
      const cut = {
        ...refusal,
        appId: appId === null ? null : cutText(appId, MAX_BYTES.appId),
        method: cutText(method, MAX_BYTES.method),
        path: cutText(path, MAX_BYTES.path),
        message: cutText(message, MAX_BYTES.message),
        clientIp: cutText(clientIp, MAX_BYTES.clientIp),
      };
      unstored.add(entries.count(cut, clock(), performance.now()));
    },
    async close() {
      clearInterval(timer);
      await storing;
      for (let isStored = true; isStored && unstored.size > 0; ) isStored = await flush();
    },
  };
}
