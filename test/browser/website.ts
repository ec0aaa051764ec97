// The website of a form: an HTTP server of another origin, with the pages that a test gives it.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { onTestEnd } from '../support/cleanup.ts';

export interface Website {
  origin: string;
  /** Sets the page of a path. */
  page(path: string, html: string): void;
}

export async function startWebsite(onEnd: typeof onTestEnd): Promise<Website> {
  const pages = new Map<string, string>();
  const server = createServer(({ url = '' }, response) => {
    const html = pages.get(url.split('?')[0] as string);
    response.writeHead(html === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(html ?? 'nothing here');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, page: (path, html) => void pages.set(path, html) };
}
