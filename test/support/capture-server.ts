// Gives tests the HTTP server inside an application, for its limits and connections.

import http, { type Server, type ServerOptions } from 'node:http';
import { vi } from 'vitest';

/** Returns the result of `start` and the server that it created; `changed` replaces options of the server. */
export async function captureServer<Started>(
  start: () => Promise<Started>,
  changed: ServerOptions = {},
): Promise<{ started: Started; server: Server }> {
  const { createServer } = http;
  const servers: Server[] = [];
  const spy = vi.spyOn(http, 'createServer').mockImplementation((...args: unknown[]) => {
    const [options, onRequest] = args as Parameters<typeof createServer>;
    const server = createServer({ ...options, ...changed }, onRequest);
    servers.push(server);
    return server;
  });
  try {
    return { started: await start(), server: servers[0] as Server };
  } finally {
    spy.mockRestore();
  }
}
