// Keeps the catalog up to date while other processes may change the definitions: it is loaded again on a hint, and whenever a
// look every second finds a new version.

import type { Logger } from '../logger.ts';
import type { Storage, StorageNode } from '../storage/storage.ts';
import type { Catalog } from './catalog.ts';

export interface FollowOptions {
  storage: Pick<Storage, 'definitionsVersion' | 'watch'>;
  node: StorageNode;
  catalog: Catalog;
  logger: Logger;
}

const LOOK_EVERY_MS = 1000;

/** Returns a function that ends this. An owner that is alone has nothing to follow. */
export function followDefinitions({ storage, node, catalog, logger }: FollowOptions): () => void {
  if (node.isAlone) return () => undefined;

  async function reloadIfOlderThan(findVersion: () => number | Promise<number>): Promise<void> {
    try {
      if ((await findVersion()) > catalog.current().version) await catalog.reload();
    } catch (error) {
      logger.warn({ err: error }, 'the definitions could not be compared with those of other processes; trying again');
    }
  }

  const unwatch = storage.watch((hint) => {
    if (hint.kind === 'definitions') void reloadIfOlderThan(() => hint.version);
  });
  const timer = setInterval(() => void reloadIfOlderThan(() => storage.definitionsVersion()), LOOK_EVERY_MS);
  return () => {
    unwatch();
    clearInterval(timer);
  };
}
