// The bench, at its smallest: it runs from end to end against the real server, and it counts whole answers only.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createRequestScanner } from '../../scripts/bench/deliveries/request-scanner.ts';
import { createAnswerScanner } from '../../scripts/bench/load/answer-scanner.ts';
import { memoryDir } from '../support/temp-dir.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--import', 'tsx', 'scripts/bench/main.ts', ...args], { cwd: ROOT });
}

test('the smallest bench measures both servers and writes figures and targets', async () => {
  const directory = memoryDir();
  const file = join(directory, 'report.json');
  const sizes = ['--rounds', '1', '--seconds', '0.1', '--connections', '1,64'];
  const { stdout } = await bench('--only', 'http', '--quick', ...sizes, '--dir', directory, '--json', file);

  const report = JSON.parse(readFileSync(file, 'utf8')) as any;
  const [, at64] = report.parts.http.comparisons;
  for (const figures of [at64.ours, at64.baseline]) {
    expect(figures.requestsPerSecond).toBeGreaterThan(0);
    expect(figures.minMs).toBeGreaterThan(0);
    expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p50Ms);
  }
  expect(at64.ratio).toBeCloseTo(at64.ours.requestsPerSecond / at64.baseline.requestsPerSecond);
  expect(at64.acknowledged).toBeGreaterThan(at64.verified);
  expect(at64.verified).toBeGreaterThan(0);
  expect(report.environment.node).toBe(process.version);
  expect(report.targets.map(({ name }: { name: string }) => name)).toEqual([
    'durable stream run against bare Fastify, 1 connection',
    'durable stream run against bare Fastify, 64 connections',
    'CPU per run against bare Fastify, 64 connections',
  ]);
  for (const { name, figure } of report.targets) expect(stdout).toMatch(new RegExp(`${name} .* ${figure} +(?:met|NOT MET)`));
});

test('the bench measures the server against that of another checkout', { timeout: 180_000 }, async () => {
  const directory = memoryDir();
  const file = join(directory, 'report.json');
  const sizes = ['--rounds', '1', '--seconds', '0.1', '--connections', '16', '--cold-starts', '1'];
  const { stdout } = await bench('--against', ROOT, '--quick', ...sizes, '--dir', directory, '--json', file);

  const report = JSON.parse(readFileSync(file, 'utf8')) as any;
  const { http, 'http-delivery': delivery, cold } = report.parts;
  const [{ baseline, ratio }] = http.comparisons;
  expect(baseline.requestsPerSecond).toBeGreaterThan(0);
  const coldRatio = cold.milliseconds[0] / cold.otherMilliseconds[0];
  const targets = [
    ['durable stream run against the other checkout, 16 connections', 'at least 0.97', ratio],
    ['durable stream run with an awaited delivery against the other checkout, 64 connections', 'at least 0.97', delivery.comparison.ratio],
    ['time of a cold start against the other checkout', 'at most 1.03', coldRatio],
  ];
  expect(report.targets.map(({ name, wanted, figure }: any) => [name, wanted, figure])).toEqual(
    targets.map(([name, wanted, figure]) => [name, wanted, figure.toFixed(2)]),
  );
  expect(stdout).toMatch(/^ +other checkout +16 /m);
});

test('the smallest bench of deliveries measures each sender, and the server with triggers and without', { timeout: 180_000 }, async () => {
  const directory = memoryDir();
  const file = join(directory, 'report.json');
  const sizes = ['--rounds', '1', '--seconds', '0.2', '--dir', directory, '--json', file];
  const { stdout } = await bench('--only', 'delivery,http-delivery', '--quick', ...sizes);

  const report = JSON.parse(readFileSync(file, 'utf8')) as any;
  const { many, triggered, backlog, baseline } = report.parts.delivery;
  for (const { figures, delivered } of [many, triggered, backlog, baseline]) {
    expect(figures.deliveriesPerSecond).toBeGreaterThan(0);
    expect(figures.cpuMicrosEach).toBeGreaterThan(0);
    expect(delivered).toBeGreaterThan(0);
  }
  expect(triggered.figures.acceptedPerSecond).toBeGreaterThan(0);
  expect(backlog.ratio).toBeCloseTo(backlog.figures.deliveriesPerSecond / baseline.figures.deliveriesPerSecond);
  const { comparison } = report.parts['http-delivery'];
  expect(comparison.ours.p99Ms).toBeGreaterThanOrEqual(comparison.ours.p50Ms);
  expect(comparison.verified).toBeGreaterThan(0);
  expect(stdout).toMatch(
    /durable deliveries a second, against a bare undici pool .* \d\.\d\d \(one a run \d\.\d\d, of a backlog \d\.\d\d\)/,
  );
  expect(stdout).toMatch(/awaited delivery against bare Fastify, 64 connections .* p50 [\d.]+ ms, p99 [\d.]+ ms/);
});

test('the bench refuses an option that it does not understand, and says which', async () => {
  await expect(bench('--only', 'https')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('there is no part "https"') });
  const elsewhere = { code: 1, stderr: expect.stringContaining('"/nowhere" holds no src/main.ts') };
  await expect(bench('--against', '/nowhere')).rejects.toMatchObject(elsewhere);
  const otherPart = { code: 1, stderr: expect.stringContaining('the part "streams" compares with no checkout') };
  await expect(bench('--against', ROOT, '--only', 'streams')).rejects.toMatchObject(otherPart);
});

test('an answer counts once its last byte has come, wherever the network cuts it', () => {
  const answers = {
    chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n9;ext=1\r\n\r\n\r\n0\r\n\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n',
    counted: 'HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\n\r\n0\r\n\r\n0\r\n\r\n..',
    empty: 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n',
  };
  const scanner = createAnswerScanner();
  for (const text of Object.values(answers)) {
    const bytes = Buffer.from(text);
    const status = Number(text.slice(9, 12));
    for (let cut = 1; cut < bytes.length; cut += 1) {
      expect(scanner.take(bytes.subarray(0, cut)), `${cut} bytes of ${text}`).toBeNull();
      expect(scanner.take(bytes.subarray(cut)), `cut after ${cut} bytes of ${text}`).toBe(status);
    }
  }
});

test('a request counts once its last byte has come, wherever the network cuts it', () => {
  const first = 'POST /a HTTP/1.1\r\nHost: x\r\ncontent-length: 8\r\n\r\n\r\n\r\n{}..';
  const second = 'POST /b HTTP/1.1\r\nContent-Length: 0\r\nIdempotency-Key: k\r\n\r\n';
  const heads = [first, second].map((text) => text.slice(0, text.indexOf('\r\n\r\n')));
  const bytes = Buffer.from(first + second);
  const scanner = createRequestScanner();
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const [begin, end] = [bytes.subarray(0, cut), bytes.subarray(cut)];
    const ended = [scanner.take(begin), scanner.take(end)];
    expect(ended[0], `cut after ${cut} bytes`).toHaveLength(cut === bytes.length ? 2 : cut >= first.length ? 1 : 0);
    expect(ended.flat()).toEqual(heads);
  }
  expect(() => scanner.take(Buffer.from('GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'))).toThrow('without a length');
});
