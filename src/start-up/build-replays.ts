// Builds what replays runs: one at once, and many as jobs.

import type { MachineClocks } from '../clock.ts';
import type { Catalog } from '../definitions/catalog.ts';
import type { Engine } from '../engine/engine.ts';
import type { BlobStore } from '../files/blobs.ts';
import { ReplayJobs, type ReplayJobsOptions } from '../replays/replay-jobs.ts';
import { Replayer } from '../replays/replayer.ts';

export interface ReplayParts extends Omit<ReplayJobsOptions, 'replayer'> {
  catalog: Catalog;
  engine: Engine;
  blobs: BlobStore;
  clocks: MachineClocks;
}

export interface Replays {
  replayer: Replayer;
  jobs: ReplayJobs;
}

export function buildReplays({ catalog, engine, blobs, clocks, ...parts }: ReplayParts): Replays {
  const replayer = new Replayer({ storage: parts.storage, catalog, engine, blobs, wallClock: clocks.wall });
  return { replayer, jobs: new ReplayJobs({ ...parts, replayer }) };
}
