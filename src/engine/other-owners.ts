// What the other owners of the database do: recovers the runs of dead ones, and looks again at what live ones have changed.
// Hints say where to look; because a hint may be lost, everything is also looked at every second.

import { POISONED } from '../core/run/run-event.ts';
import type { Logger } from '../logger.ts';
import type { Hint, Storage, StorageNode } from '../storage/storage.ts';
import type { RunFeed } from './run-feed.ts';

export interface OtherOwnersOptions {
  storage: Pick<Storage, 'reapOwners' | 'watch'>;
  node: StorageNode;
  feed: RunFeed;
  logger: Logger;
  /** Called when runs or deliveries may have become due. */
  onDue: () => void;
}

const LOOK_EVERY_MS = 1000;

export class OtherOwners {
  readonly #options: OtherOwnersOptions;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: () => void = () => undefined;

  constructor(options: OtherOwnersOptions) {
    this.#options = options;
  }

  /** Recovers the runs of the owners whose process is dead. */
  async reap(): Promise<void> {
    const { storage, logger } = this.#options;
    const { recovered, poisoned } = await storage.reapOwners();
    if (recovered > 0) logger.info({ runs: recovered }, 'resumes runs that an earlier process left');
    for (const runId of poisoned) logger.error({ run_id: runId, error_code: POISONED.code }, POISONED.message);
    // The end of a poisoned run may start others.
    if (recovered + poisoned.length > 0) this.#options.onDue();
  }

  /** Begins to listen and to look. An owner that is alone does neither. */
  follow(): void {
    const { storage, node } = this.#options;
    if (node.isAlone) return;
    this.#unwatch = storage.watch((hint) => this.#takeHint(hint));
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    this.#unwatch();
    clearInterval(this.#timer);
  }

  #takeHint(hint: Hint): void {
    if (hint.kind === 'events') for (const runId of hint.runIds) this.#options.feed.remind(runId);
    else if (hint.kind === 'due') this.#options.onDue();
  }

  async #look(): Promise<void> {
    this.#options.feed.remindAll();
    try {
      await this.reap();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the runs of dead processes could not be recovered; trying again');
    }
  }
}
