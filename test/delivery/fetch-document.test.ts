// The fetcher of documents: what it returns, and where it stops.

import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseOutboundAllow } from '../../src/config/config-values.ts';
import { createAddressPolicy } from '../../src/delivery/address-policy.ts';
import { DocumentFetcher } from '../../src/delivery/http/fetch-document.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { selfSigned } from './certificate.ts';
import { LOOPBACK } from './http-sender.ts';

const HOST = 'keys.example';
const { key, cert } = selfSigned([HOST]);

interface Fetching {
  allowed?: readonly string[];
  ca?: string | undefined;
  timeoutMs?: number;
}

/** Returns a function that fetches a path from a server on this machine. */
async function serve(answer: RequestListener, { allowed = LOOPBACK, ca = cert, timeoutMs }: Fetching = {}) {
  const server = createServer({ key, cert }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fetcher = new DocumentFetcher({
    policy: createAddressPolicy(parseOutboundAllow(allowed.join(','))),
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    userAgent: 'sluice/test',
    ca,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  onTestEnd(async () => {
    await fetcher.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { fetcher, get: (path = '/') => fetcher.fetch(`https://${HOST}:${port}${path}`) };
}

test('returns the text of a 200, and sends no more than it must', async () => {
  const { get } = await serve(({ method, url, headers }, response) => void response.end(JSON.stringify({ method, url, headers })));
  const { method, url, headers } = JSON.parse(await get('/a.pem?b=c'));
  expect([method, url]).toEqual(['GET', '/a.pem?b=c']);
  expect(Object.keys(headers).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
});

describe('rejects', () => {
  test('an answer that is not 200, and follows no redirect', async () => {
    const paths: (string | undefined)[] = [];
    const { get } = await serve(({ url }, response) => {
      paths.push(url);
      response.writeHead(url === '/moved' ? 302 : 404, { location: '/elsewhere' }).end();
    });
    await expect(get('/moved')).rejects.toThrow('the answer is 302');
    await expect(get('/gone')).rejects.toThrow('the answer is 404');
    expect(paths).toEqual(['/moved', '/gone']);
  });

  test('an answer of more than 64 KiB, and takes one of 64 KiB', async () => {
    const { get } = await serve(({ url }, response) => void response.end('x'.repeat(url === '/more' ? 65_537 : 65_536)));
    await expect(get('/more')).rejects.toThrow('the answer is longer than 65536 bytes');
    expect((await get('/most')).length).toBe(65_536);
  });

  test('an answer that does not end in time, although it never falls silent', async () => {
    const { get } = await serve(
      (_request, response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.once('close', () => clearInterval(timer));
      },
      { timeoutMs: 200 },
    );
    await expect(get()).rejects.toThrow('no answer in time (total)');
  });

  test('an address that the policy refuses', async () => {
    const { get } = await serve((_request, response) => void response.end(), { allowed: [] });
    await expect(get()).rejects.toThrow(`${HOST} resolves to an address that is refused: 127.0.0.1 is not a public address`);
  });

  test('a certificate of the server that nobody vouches for', async () => {
    const { get } = await serve((_request, response) => void response.end(), { ca: selfSigned([HOST]).cert });
    await expect(get()).rejects.toThrow(/CERT|SELF_SIGNED/);
  });

  test('everything once it is closed', async () => {
    const { fetcher, get } = await serve(() => undefined);
    const [fetching] = await Promise.allSettled([get(), fetcher.close()]);
    expect(String((fetching as PromiseRejectedResult).reason)).toContain('ABORTED');
    await expect(get()).rejects.toThrow('the server is stopping');
  });
});
