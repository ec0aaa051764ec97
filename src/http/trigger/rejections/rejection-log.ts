// Records refused triggers. Text from callers is cut, refusals are counted in entries, and entries are stored at a bounded
// rate, so that a flood of refusals costs neither memory nor disk.

import type { Clock } from '../../../clock.ts';
import { isAppId } from '../../../core/app.ts';
import { hideSecretPairs } from '../../../core/secrets/caller-secrets.ts';
import { cutText } from '../../../core/values/cut-text.ts';
import type { AppError, ErrorCode, RefusalReason } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { RejectionChange } from '../../../storage/refusals/rejection-store.ts';
import type { Storage } from '../../../storage/storage.ts';
import { statusOf } from '../../error-handler.ts';
import { type RefusedTrigger, RejectionEntries, type RejectionEntry } from './rejection-entries.ts';

/** `sinkId` is absent when no sink matched. */
type RefusedRequest = Pick<RefusedTrigger, 'method' | 'path' | 'clientIp'> & { sinkId?: string | null | undefined };

/** `path` begins with the app's segment. */
export function refusalOf(
  { code, message, reason = REASON_OF_CODE[code] }: AppError,
  { sinkId = null, method, path, clientIp }: RefusedRequest,
): RefusedTrigger {
  const [, app = ''] = path.split('/', 2);
  const appId = isAppId(app) ? app : null;
  const shown = { path: hideSecretPairs(path), message: hideSecretPairs(message) };
  return { sinkId, appId, method, status: statusOf(code), code, reason, clientIp, ...shown };
}

const REASON_OF_CODE: Readonly<Record<ErrorCode, RefusalReason>> = {
  invalid: 'malformed',
  unauthorized: 'wrong_token',
  forbidden: 'blocked',
  not_found: 'no_sink',
  gone: 'no_sink',
  method_not_allowed: 'wrong_method',
  conflict: 'key_reused',
  precondition_failed: 'malformed',
  too_large: 'too_large',
  unsupported_media: 'unsupported_media',
  range_not_satisfiable: 'malformed',
  unprocessable: 'unfit_input',
  rate_limited: 'rate_limited',
  dispatch_failed: 'failed',
  unavailable: 'unavailable',
};

/** An answered handshake is recorded beside refusals: neither starts a run. */
export function handshakeOf(status: number, request: RefusedRequest): RefusedTrigger {
  return answeredWithoutRun(status, 'handshake', 'a handshake of the sender was answered', request);
}

/** Spam gets the answer that a visitor gets. */
export function spamOf(status: number, reason: string, request: RefusedRequest): RefusedTrigger {
  return answeredWithoutRun(status, 'spam', reason, request);
}

/** The sender is answered as if a workflow had started: it shall neither repeat the request nor disable the webhook. */
export function unmatchedOf(status: number, request: RefusedRequest): RefusedTrigger {
  return answeredWithoutRun(status, 'no_workflow', 'no workflow of the sink matches the request', request);
}

function answeredWithoutRun(
  status: number,
  code: 'handshake' | 'spam' | 'no_workflow',
  message: string,
  { sinkId = null, method, path, clientIp }: RefusedRequest,
): RefusedTrigger {
  const appId = path.split('/', 2)[1] ?? null;
  return { sinkId, appId, method, path: hideSecretPairs(path), status, code, reason: code, message, clientIp };
}

const FLUSH_EVERY_MS = 1000;
/** Per flush; the other entries wait for the next. */
const MAX_STORED_PER_FLUSH = 100;
/** How long an entry counts refusals; a flood that goes on then gets a new one. */
const ENTRY_LIFE_MS = 600_000;
/** In bytes. */
const MAX_BYTES = { appId: 64, method: 32, path: 512, message: 512, clientIp: 64 };

export class RejectionLog {
  readonly #storage: Pick<Storage, 'recordRejections'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #entries = new RejectionEntries();
  readonly #unstored = new Set<RejectionEntry>();
  readonly #timer = setInterval(() => void this.#flush(), FLUSH_EVERY_MS);
  #storing: Promise<boolean> | null = null;

  constructor(storage: Pick<Storage, 'recordRejections'>, clock: Clock, logger: Logger) {
    this.#storage = storage;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Returns the entry that counts the refusal. */
  add(refusal: RefusedTrigger): RejectionEntry {
    const { appId, method, path, message, clientIp } = refusal;
    const cut = {
      ...refusal,
      appId: appId === null ? null : cutText(appId, MAX_BYTES.appId),
      method: cutText(method, MAX_BYTES.method),
      path: cutText(path, MAX_BYTES.path),
      message: cutText(message, MAX_BYTES.message),
      clientIp: cutText(clientIp, MAX_BYTES.clientIp),
    };
    const entry = this.#entries.count(cut, this.#clock(), performance.now());
    this.#unstored.add(entry);
    return entry;
  }

  /** Stores the remaining entries and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#storing;
    for (let isStored = true; isStored && this.#unstored.size > 0; ) isStored = await this.#flush();
  }

  #flush(): Promise<boolean> {
    this.#storing ??= (this.#unstored.size === 0 ? Promise.resolve(true) : this.#store()).finally(() => {
      this.#storing = null;
      this.#entries.forget(performance.now() - ENTRY_LIFE_MS, (entry) => this.#unstored.has(entry));
    });
    return this.#storing;
  }

  /** Resolves to false when storing failed; the entries are kept for the next flush. */
  async #store(): Promise<boolean> {
    const stored = [...this.#unstored].slice(0, MAX_STORED_PER_FLUSH);
    const changes = stored.map(({ change }) => ({ ...change }));
    for (const entry of stored) {
      this.#unstored.delete(entry);
      entry.change.count = 0;
    }
    try {
      const positions = await this.#storage.recordRejections(changes);
      for (const [index, { change }] of stored.entries()) change.position = positions[index] as number;
      return true;
    } catch (error) {
      for (const [index, entry] of stored.entries()) {
        entry.change.count += (changes[index] as RejectionChange).count;
        this.#unstored.add(entry);
      }
      this.#logger.warn({ err: error, entries: stored.length }, 'refused triggers could not be recorded; trying again');
      return false;
    }
  }
}
