// Builds the engine, with its effects on files and the thread of its large runs.

import { join, resolve } from 'node:path';
import type { Config, Environment } from '../config/config.ts';
import { Engine } from '../engine/engine.ts';
import { createGraphPrograms } from '../engine/execution/graph-programs.ts';
import { createLargeRuns } from '../engine/large/large-runs.ts';
import type { RunThreadOptions } from '../engine/large/run-thread-client.ts';
import type { RunFeed } from '../engine/run-feed.ts';
import type { BlobStore } from '../files/blobs.ts';
import { writeStepFile } from '../files/step-files.ts';
import { createRunIds } from '../ids.ts';
import type { Logger } from '../logger.ts';
import { type MemoryBudget, measureMemory } from '../memory-budget.ts';
import type { RunThreadData } from '../run-thread.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { Storage, StorageNode } from '../storage/storage.ts';
import type { Delivery } from './create-delivery.ts';
import { createLoadImages, createReadFile } from './local-effects.ts';
import { publicAddress } from './reply-urls.ts';

export interface EngineParts {
  config: Pick<Config, 'filesDir' | 'secretsAllow' | 'baseUrl' | 'host' | 'port'>;
  environment: Environment;
  secretKey: string;
  dataDir: string;
  storage: Storage;
  stepTypes: StepTypes;
  feed: RunFeed;
  node: StorageNode;
  blobs: BlobStore;
  memory: MemoryBudget;
  delivery: Delivery;
  logger: Logger;
}

export function buildEngine(parts: EngineParts): Engine {
  const { config, environment, secretKey, dataDir, storage, stepTypes, node, feed, blobs, memory, delivery, logger } = parts;
  const filesDir = resolve(config.filesDir ?? join(dataDir, 'files'));
  return new Engine({
    storage,
    createPrograms: (tools) => createGraphPrograms({ ...tools, stepTypes }, storage),
    feed,
    node,
    newRunId: createRunIds(node.time.clock, node.slot),
    logger,
    send: delivery.send,
    localEffects: {
      loadImages: createLoadImages(blobs, memory.images),
      writeFile: (write) => writeStepFile(filesDir, write),
      readFile: createReadFile(blobs),
    },
    memory: memory.runs,
    messageMemory: memory.deliveries,
    largeRuns: createLargeRuns(runThread(config, environment, secretKey), node.time.toWall),
    secrets: delivery.secrets,
  });
}

/** Of the thread's heap, for one decoded body; the steps of its run need the rest. */
const DECODED_SHARE = 0.75;
const MAX_THREAD_BYTES = 2 ** 31;

/** The thread gets only the names of secrets: their values are inserted when a message is sent. */
function runThread(config: EngineParts['config'], environment: Environment, key: string): RunThreadOptions {
  const maxHeapBytes = Math.min(measureMemory(), MAX_THREAD_BYTES);
  const names = Object.fromEntries(Object.keys(environment).map((name) => [name, '']));
  const data: RunThreadData = {
    secrets: { environment: names, allowed: config.secretsAllow, key },
    hasReplyUrls: publicAddress(config) !== null,
    maxDecodedBytes: DECODED_SHARE * maxHeapBytes,
  };
  return { data, maxHeapBytes };
}
