// The HTTP server inside an application, for tests of what only it can tell or do: limits, connections.

import http, { type Server } from 'node:http';
import { vi } from 'vitest';

/** Returns what `start` returns, and the server that was made meanwhile. */
export async function captureServer<Started>(start: () => Promise<Started>): Promise<{ started: Started; server: Server }> {
  const spy = vi.spyOn(http, 'createServer');
  try {
    const started = await start();
    return { started, server: spy.mock.results[0]?.value as Server };
  } finally {
    spy.mockRestore();
  }
}
