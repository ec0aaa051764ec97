// The composition root: the only place that knows every part, and the order in which they start and stop.

import { join, resolve } from 'node:path';
import { type MachineClocks, machineClocks } from './clock.ts';
import type { Config, Environment } from './config/config.ts';
import { parseDeliveryId } from './core/delivery/delivery-id.ts';
import { createCatalog } from './definitions/catalog.ts';
import { createDefinitionService, type DefinitionService } from './definitions/definition-service.ts';
import { startDefinitionSource } from './definitions/files/definition-source.ts';
import { createAddressPolicy } from './delivery/address-policy.ts';
import { createSecretVault, redactResult, type SecretVault } from './delivery/secret-vault.ts';
import type { Send } from './delivery/sender.ts';
import { Engine } from './engine/engine.ts';
import { createGraphPrograms } from './engine/execution/graph-programs.ts';
import { createLargeRuns } from './engine/large/large-runs.ts';
import type { RunThreadOptions } from './engine/large/run-thread-client.ts';
import { startRetention } from './engine/retention.ts';
import { createRunFeed } from './engine/run-feed.ts';
import { startServerTime } from './engine/server-time.ts';
import { openBlobStore } from './files/blobs.ts';
import { prepareDataDirectory, readOrMakeAdminToken, readOrMakeSecretKey } from './files/data-directory.ts';
import { watchDiskFloor } from './files/disk-floor.ts';
import { writeStepFile } from './files/step-files.ts';
import type { HttpServer } from './http/server.ts';
import { createRunIds, newToken } from './ids.ts';
import { createLoadImages, createReadFile } from './local-effects.ts';
import type { Logger } from './logger.ts';
import { createMemoryBudget, measureMemory } from './memory-budget.ts';
import type { RunThreadData } from './run-thread.ts';
import { createStepTypes } from './steps/registry.ts';
import type { StepType } from './steps/step-type.ts';
import { openSqliteStorage } from './storage/sqlite/sqlite-storage.ts';
import { withWallTimes } from './storage/wall-times.ts';

export interface AppOptions {
  config: Config;
  environment: Environment;
  logger: Logger;
  version: string;
  acceptLoss?: boolean;
  /** Folder of demo definitions to serve beside the files that nobody named; null for none. */
  demoPath?: string | null;
  /** Called once when the database cannot be trusted any more; the process should end. */
  onFatal: (error: Error) => void;
  clocks?: MachineClocks;
  /** Further step types. */
  stepTypes?: readonly StepType[];
  /** Sends in place of the network. */
  send?: Send;
}

export interface RunningApp {
  url: string;
  dataDir: string;
  adminToken: { token: string; path: string | null; isNew: boolean };
  /** Where the demo that was asked for comes from; null where none is served. */
  demoPath: string | null;
  definitions: DefinitionService;
  /** Reads the definition files anew; an invalid one changes nothing, and the log says why. */
  reloadDefinitions(): Promise<void>;
  /** Takes no more requests, lets runs finish within the drain time, and closes the database. Idempotent. */
  close(): Promise<void>;
}

/** Rejects with one line for the operator when anything keeps the server from starting; nothing stays open then. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { config, environment, logger, version, onFatal, clocks = machineClocks, demoPath = null } = options;
  const dataDir = resolve(config.dataDir);
  const cleanups: (() => Promise<void> | void)[] = [];
  /** One that fails does not keep the others from closing. */
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const cleanup of cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };

  try {
    await prepareDataDirectory(dataDir);
    const budget = createMemoryBudget(measureMemory());
    const opening = openSqliteStorage({ directory: dataDir, memory: budget.commits, acceptLoss: options.acceptLoss ?? false, onFatal });
    // What serves, plans and sends loads while the storage threads start: a third of a cold start is saved.
    const [storage, { createServer }, { builtinStepTypes }, { createSender }] = await Promise.all([
      opening,
      import('./http/server.ts'),
      import('./steps/builtin.ts'),
      import('./delivery/create-sender.ts'),
    ]);
    cleanups.push(() => storage.close());
    const time = await startServerTime({ storage, clocks, logger });
    cleanups.push(() => time.close());
    const { clock, toWall } = time;
    const [adminToken, key, blobs] = await Promise.all([
      config.adminToken === null ? readOrMakeAdminToken(dataDir, newToken) : { token: config.adminToken, path: null, isNew: false },
      config.secretKey ?? readOrMakeSecretKey(dataDir, newToken),
      openBlobStore(join(dataDir, 'blobs')),
    ]);
    const disk = await watchDiskFloor(dataDir, config.minFreeDisk);
    cleanups.push(() => disk.close());

    const stepTypes = createStepTypes([...builtinStepTypes, ...(options.stepTypes ?? [])]);
    const catalog = await createCatalog(storage);
    const definitions = createDefinitionService({ storage, catalog, stepTypes, clock: clocks.wall });
    const feed = createRunFeed();
    const secrets = createSecretVault({ environment, allowed: config.secretsAllow, key });
    const policy = createAddressPolicy(config.outboundAllow);
    const sender = createSender({ policy, openBlob: blobs.read, userAgent: `sluice/${version}` });
    cleanups.push(() => sender.close());
    const filesDir = resolve(config.filesDir ?? join(dataDir, 'files'));
    const engine = new Engine({
      storage,
      createPrograms: (tools) => createGraphPrograms({ ...tools, stepTypes }, storage),
      feed,
      clock,
      toWall,
      newRunId: createRunIds(clock),
      logger,
      send: withSecrets(options.send ?? sender.send, secrets),
      localEffects: {
        loadImages: createLoadImages(blobs, budget.images),
        writeFile: (write) => writeStepFile(filesDir, write),
        readFile: createReadFile(blobs),
      },
      memory: budget.runs,
      messageMemory: budget.deliveries,
      largeRuns: createLargeRuns(runThread(environment, config.secretsAllow, key), toWall),
      secrets,
    });

    let server: HttpServer | undefined;
    cleanups.push(async () => {
      server?.stopAccepting();
      await engine.drain(config.drainSeconds * 1000);
      await server?.close();
    });

    const source = await startDefinitionSource({
      path: resolve(config.configPath),
      isNamed: config.isConfigNamed,
      demoPath,
      environment,
      definitions,
      catalog,
      logger,
    });
    cleanups.push(() => source.close());
    if (source.servesDemo)
      logger.warn({ path: demoPath }, 'the demo is served, and anyone may trigger it; "sluice serve" starts without it');

    const { trustProxy, rateLimit, baseUrl } = config;
    server = await createServer({
      storage: withWallTimes(storage, time),
      blobs,
      disk,
      catalog,
      definitions,
      engine,
      feed,
      clock,
      wallClock: clocks.wall,
      logger,
      memory: budget,
      adminToken: adminToken.token,
      maskSecrets: secrets.mask,
      trustProxy,
      rateLimit,
      baseUrl,
      version,
    });
    await engine.start();
    const retention = startRetention({
      storage,
      blobs,
      clock,
      wallClock: clocks.wall,
      settlesAt: time.settlesAt,
      logger,
      ...config.retention,
    });
    cleanups.push(() => retention.close());
    const url = await server.listen(config.host, config.port).catch((error: unknown) => {
      throw listenFault(error, config);
    });

    let closing: Promise<void> | undefined;
    return {
      url,
      dataDir,
      adminToken,
      demoPath: source.servesDemo ? demoPath : null,
      definitions,
      reloadDefinitions: source.reload,
      close() {
        closing ??= closeAll();
        return closing;
      },
    };
  } catch (error) {
    await closeAll().catch((failure: unknown) => logger.error({ err: failure }, 'the server could not close in order'));
    throw error;
  }
}

/** Secrets are put in just before a message is sent, and hidden in what comes back. */
function withSecrets(send: Send, vault: SecretVault): Send {
  return async (message, options) => {
    const runId = parseDeliveryId(options.deliveryId)?.runId ?? '';
    const { message: revealed, hide } = vault.reveal(runId, message);
    return redactResult(await send(revealed, options), hide);
  };
}

/** The thread of large runs plans with the names of secrets alone: what they are is put in when a message is sent. */
function runThread(environment: Environment, allowed: readonly string[], key: string): RunThreadOptions {
  const maxHeapBytes = Math.min(measureMemory(), MAX_THREAD_BYTES);
  const names = Object.fromEntries(Object.keys(environment).map((name) => [name, '']));
  const data: RunThreadData = { secrets: { environment: names, allowed, key }, maxDecodedBytes: DECODED_SHARE * maxHeapBytes };
  return { module: new URL('./run-thread.ts', import.meta.url), data, maxHeapBytes };
}

/** Of the thread's heap, for one body; the rest is for what the steps of its run make of it. */
const DECODED_SHARE = 0.75;
const MAX_THREAD_BYTES = 2 ** 31;

/** The one line that says which setting to change. */
function listenFault(error: unknown, { host, port }: Config): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another process uses the port; stop it, or choose another port (SLUICE_PORT)',
    EACCES: 'this user may not use the port; choose one above 1023 (SLUICE_PORT)',
    EADDRNOTAVAIL: 'this machine has no such address; choose one that it has (SLUICE_HOST)',
    ENOTFOUND: 'no such host is known; choose an address of this machine (SLUICE_HOST)',
  };
  return new Error(`cannot listen on ${host}:${port}: ${reasons[code ?? ''] ?? message}`, { cause: error });
}
