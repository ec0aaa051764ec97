// Creates the HTTP server, and lets it listen. At the end it refuses requests, lets runs finish, and closes.

import type { MachineClocks } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { HttpServer, ServerDependencies } from '../http/server.ts';
import type { StorageTime } from '../storage/storage.ts';
import { withWallTimes } from '../storage/wall-times.ts';
import type { Cleanups } from './cleanups.ts';
import type { Delivery } from './create-delivery.ts';
import type { AdminToken } from './open-data-directory.ts';
import type { LoadedModules } from './open-storage.ts';

type SharedParts =
  | 'storage'
  | 'node'
  | 'blobs'
  | 'disk'
  | 'catalog'
  | 'definitions'
  | 'engine'
  | 'replayer'
  | 'jobs'
  | 'feed'
  | 'scheduler'
  | 'memory'
  | 'logger'
  | 'sealer'
  | 'replySealer'
  | 'version';

export interface HttpParts extends Pick<ServerDependencies, SharedParts> {
  config: Pick<Config, 'trustProxy' | 'rateLimit' | 'baseUrl' | 'drainSeconds'>;
  time: StorageTime;
  clocks: MachineClocks;
  adminToken: AdminToken;
  delivery: Pick<Delivery, 'secrets' | 'fetchText' | 'postForm'>;
}

export async function createHttpServer(
  createServer: LoadedModules['createServer'],
  { config, time, clocks, adminToken, delivery, ...parts }: HttpParts,
  cleanups: Cleanups,
): Promise<HttpServer> {
  const { trustProxy, rateLimit, baseUrl, drainSeconds } = config;
  const server = await createServer({
    ...parts,
    storage: withWallTimes(parts.storage, time),
    clock: time.clock,
    wallClock: clocks.wall,
    adminToken: adminToken.token,
    maskSecrets: delivery.secrets.mask,
    fetchText: delivery.fetchText,
    postForm: delivery.postForm,
    trustProxy,
    rateLimit,
    baseUrl,
  });
  cleanups.add(async () => {
    server.stopAccepting();
    await Promise.all([parts.jobs.stop(drainSeconds * 1000), parts.engine.drain(drainSeconds * 1000)]);
    await server.close();
  });
  return server;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses the port; stop it, or choose another port (SLUICE_PORT)',
  EACCES: 'this user may not use the port; choose one above 1023 (SLUICE_PORT)',
  EADDRNOTAVAIL: 'this machine does not have the address; choose an address of this machine (SLUICE_HOST)',
  ENOTFOUND: 'the host is unknown; choose an address of this machine (SLUICE_HOST)',
};

/** Resolves to the server's URL. Rejects with one line that names the setting to change. */
export async function listen(server: HttpServer, { host, port }: Pick<Config, 'host' | 'port'>): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot listen on ${host}:${port}: ${REASONS[code ?? ''] ?? message}`, { cause: error });
  }
}
