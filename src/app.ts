// The composition root: the only place that knows every part, and the order in which they start and stop.

import { resolve } from 'node:path';
import { type MachineClocks, machineClocks } from './clock.ts';
import type { Config, Environment } from './config/config.ts';
import type { DefinitionService } from './definitions/definition-service.ts';
import type { FetchDocument } from './delivery/http/fetch-document.ts';
import type { Send } from './delivery/sender.ts';
import { type RetentionOptions, startRetention } from './engine/retention.ts';
import { createRunFeed } from './engine/run-feed.ts';
import { prepareDataDirectory } from './files/data-directory.ts';
import type { Logger } from './logger.ts';
import { createMemoryBudget, measureMemory } from './memory-budget.ts';
import { Scheduler } from './schedules/scheduler.ts';
import { createSealer } from './sealer.ts';
import { buildEngine } from './start-up/build-engine.ts';
import { buildReplays } from './start-up/build-replays.ts';
import { Cleanups } from './start-up/cleanups.ts';
import { createDelivery } from './start-up/create-delivery.ts';
import { followDefinitionFiles, loadDefinitions } from './start-up/load-definitions.ts';
import { type AdminToken, openDataDirectory, startDiskFloor } from './start-up/open-data-directory.ts';
import { openStorage } from './start-up/open-storage.ts';
import { createHttpServer, listen } from './start-up/serve-http.ts';
import { startSchedules } from './start-up/start-schedules.ts';
import { createStepTypes } from './steps/registry.ts';
import type { StepType } from './steps/step-type.ts';

export interface AppOptions {
  config: Config;
  environment: Environment;
  logger: Logger;
  version: string;
  acceptLoss?: boolean;
  /** Folder of demo definitions to serve unless a setting names definition files; null for none. */
  demoPath?: string | null;
  /** Called once when the database cannot be trusted any more; the process should end. */
  onFatal: (error: Error) => void;
  clocks?: MachineClocks;
  /** Step types beside the built-in ones. */
  stepTypes?: readonly StepType[];
  /** Replaces the network. */
  send?: Send;
  /** Replaces the network for the keys of webhook senders. */
  fetchText?: FetchDocument;
}

export interface RunningApp {
  url: string;
  dataDir: string;
  adminToken: AdminToken;
  /** Null when the demo is not served. */
  demoPath: string | null;
  definitions: DefinitionService;
  /** Reads the definition files again. Invalid files change nothing, and are logged. */
  reloadDefinitions(): Promise<void>;
  /** Refuses new requests, lets runs finish within the drain time, and closes the database. Idempotent. */
  close(): Promise<void>;
}

/** Rejects with one line for the operator when the server cannot start; nothing stays open then. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const cleanups = new Cleanups(options.logger);
  try {
    return await startParts(options, cleanups);
  } catch (error) {
    await cleanups.close().catch((failure: unknown) => options.logger.error({ err: failure }, 'the server could not close in order'));
    throw error;
  }
}

/** The steps of a start, in order. Each registers its own cleanup. */
async function startParts(options: AppOptions, cleanups: Cleanups): Promise<RunningApp> {
  const { config, environment, logger, version, onFatal, acceptLoss = false, clocks = machineClocks, demoPath = null } = options;
  const dataDir = resolve(config.dataDir);
  await prepareDataDirectory(dataDir);
  const memory = createMemoryBudget(measureMemory());
  const { storage, node, modules } = await openStorage({ dataDir, memory, acceptLoss, clocks, logger, onFatal }, cleanups);
  const { time } = node;
  const { adminToken, secretKey, blobs } = await openDataDirectory(dataDir, node, config);
  const disk = await startDiskFloor(dataDir, config.minFreeDisk, cleanups);
  const stepTypes = createStepTypes([...modules.builtinStepTypes, ...(options.stepTypes ?? [])]);
  const sealer = createSealer(secretKey);
  const replySealer = createSealer(secretKey, 'replies');
  const credentials = { sealer, hasBaseUrl: config.baseUrl !== null };
  const loading = { storage, node, stepTypes, credentials, wallClock: clocks.wall, logger };
  const { catalog, definitions } = await loadDefinitions(loading, cleanups);
  const { send, fetchText } = options;
  const sending = { config, environment, secretKey, sealReply: replySealer.seal, blobs, version, send, fetchText };
  const delivery = createDelivery(modules, sending, cleanups);
  const shared = { config, storage, node, feed: createRunFeed(), blobs, memory, delivery, logger };
  const engine = buildEngine({ ...shared, environment, secretKey, dataDir, stepTypes });
  const scheduler = new Scheduler({ ...shared, catalog, engine, refuseWhenLow: disk.refuseWhenLow, clock: time.clock, clocks });
  const replays = buildReplays({ ...shared, catalog, engine, disk, clocks });
  const parts = { ...shared, ...replays, time, disk, sealer, replySealer, catalog, definitions, engine, scheduler, clocks };
  const server = await createHttpServer(modules.createServer, { ...parts, adminToken, version }, cleanups);
  const source = await followDefinitionFiles({ config, demoPath, environment, definitions, catalog, logger }, cleanups);
  await engine.start();
  await startSchedules(scheduler, cleanups);
  // An edit of a sink may make held runs due.
  catalog.onChange(() => engine.lookAgain());
  await replays.jobs.start();
  startRunRetention({ ...shared, time, clocks }, cleanups);
  const url = await listen(server, config);
  return {
    url,
    dataDir,
    adminToken,
    demoPath: source.servesDemo ? demoPath : null,
    definitions,
    reloadDefinitions: source.reload,
    close: () => cleanups.close(),
  };
}

interface RetentionParts extends Pick<RetentionOptions, 'storage' | 'blobs' | 'logger'> {
  config: Pick<Config, 'retention'>;
  time: Pick<RetentionOptions, 'clock' | 'settlesAt'>;
  clocks: MachineClocks;
}

function startRunRetention({ config, storage, blobs, time, clocks, logger }: RetentionParts, cleanups: Cleanups): void {
  const { clock, settlesAt } = time;
  const retention = startRetention({ storage, blobs, clock, wallClock: clocks.wall, settlesAt, logger, ...config.retention });
  cleanups.add(() => retention.close());
}
