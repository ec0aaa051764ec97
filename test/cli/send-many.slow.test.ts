// `sluice send --count`: as many requests as were asked for, each when it is due, and the truth about what became of them.

import { describe, expect, test } from 'vitest';
import { ExitError, INTERRUPTED } from '../../src/cli/exit-error.ts';
import { startListener } from '../support/listener.ts';
import { sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const app = shareApp({}, async (shared) => {
  await shared.sink({ path: '/hook' });
  await shared.sink({ path: '/locked', auth_token: 'open-sesame' });
});

const LATENCY = /p50 \d+\.\d ms, p99 \d+\.\d ms/;
const ELAPSED = /\d+\.\d\d s, \d+\.\d requests a second/;
const steady = (text: string): string => text.replace(LATENCY, '<latency>').replace(ELAPSED, '<elapsed>');

describe('many requests to a sink', () => {
  test('are summed up in place of being watched, and each has started a run', async () => {
    const { code, stdout, stderr } = await sluice(['send', 'shop/hook', '--json', '{"a":1}', '--count', '20', '--url', app().url]);
    expect({ code, stdout: steady(stdout), stderr }).toEqual({
      code: 0,
      stdout: 'sent      20\naccepted  20\nrefused   0\nlatency   <latency>\nelapsed   <elapsed>\n',
      stderr: '',
    });
    const { body } = await app().admin('GET', '/runs?app_id=shop&limit=100');
    expect(body.runs).toHaveLength(20);
  });

  test('have a line each with --verbose', async () => {
    const { stderr } = await sluice(['send', 'shop/hook', '--form', 'a=1', '--count', '3', '--verbose', '--url', app().url]);
    const lines = stderr.trimEnd().split('\n').sort();
    expect(lines).toEqual([1, 2, 3].map((number) => expect.stringMatching(new RegExp(`^#${number} 202 run_\\w+ in \\d+\\.\\d ms$`))));
  });

  test('that are refused are counted by their status, with the reason, and exit code 1', async () => {
    const { code, stdout } = await sluice(['send', 'shop/locked', '--count', '5', '--url', app().url]);
    expect({ code, stdout: steady(stdout) }).toEqual({
      code: 1,
      stdout: [
        'sent      5\naccepted  0\nrefused   5',
        '          5 × 401 a token is required: send "Authorization: Bearer <token>"; give it with --token (unauthorized)',
        'latency   <latency>\nelapsed   <elapsed>\n',
      ].join('\n'),
    });
    expect(await sluice(['send', 'shop/locked', '--token', 'open-sesame', '--count', '5', '--url', app().url])).toMatchObject({ code: 0 });
  });

  test('show how far they are on a terminal', async () => {
    const { stderr } = await sluice(['send', 'shop/hook', '--count', '4', '--url', app().url], { columns: 80 });
    expect(stderr).toContain(' 50%  2 of 4');
    expect(stderr.endsWith('100%  4 of 4\x1b[K\n')).toBe(true);
  });
});

describe('many requests to any receiver', () => {
  test('are accepted by what answers 2xx, and carry the same body and headers', async () => {
    const receiver = await startWebhookReceiver();
    const args = ['--form', 'a=1', '--header', 'X-One: 1', '--method', 'PUT', '--count', '3'];
    expect(await sluice(['send', `${new URL('/any?b=2', receiver.url)}`, ...args])).toMatchObject({ code: 0 });
    expect(receiver.arrivals).toHaveLength(3);
    for (const arrival of receiver.arrivals) expect(arrival).toMatchObject({ target: '/any?b=2', body: 'a=1', headers: { 'x-one': '1' } });
  });

  test('that fail in several ways are told apart', async () => {
    const { url, stop } = await startListener(['--fail', '3', '--status', '503']);
    const { code, stdout } = await sluice(['send', `${url}/x`, '--count', '10']);
    await stop();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^sent {6}10\naccepted {2}7\nrefused {3}3\n {10}3 × 503 /);
  });

  test('are not accepted where nobody listens', async () => {
    const { url, stop } = await startListener([]);
    await stop();
    const { code, stdout } = await sluice(['send', `${url}/x`, '--count', '2']);
    expect(code).toBe(1);
    expect(stdout).toContain(`2 × cannot reach ${url}: connection refused; is the server running?\nlatency   -\n`);
  });
});

describe('the rate', () => {
  test('holds while answers are slow: each leaves when it is due, not when the one before was answered', async () => {
    let release: () => void = () => undefined;
    const allCame = new Promise<void>((resolve) => {
      release = resolve;
    });
    let came = 0;
    const receiver = await startWebhookReceiver({
      wait: () => {
        came += 1;
        if (came === 20) release();
        return allCame;
      },
    });
    const { code, stderr } = await sluice(['send', `${receiver.url}/x`, '--count', '20', '--rate', '100']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const times = receiver.arrivals.map(({ at }) => at).sort((a, b) => a - b);
    // The first may be late itself, by what it takes to connect.
    expect((times.at(-1) as number) - (times[0] as number)).toBeGreaterThan(19 * 10 - 100);
  });

  test('is given up, and that is told, where too many would be under way', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const receiver = await startWebhookReceiver({ wait: () => released });
    const sending = sluice(['send', `${receiver.url}/x`, '--count', '100', '--rate', '10000']);
    await until('as many as may be to be under way', () => receiver.arrivals.length === 64);
    const held = performance.now();
    await until('the rest to be late', () => performance.now() - held > 1100);
    expect(receiver.arrivals).toHaveLength(64);
    release();
    const { code, stderr } = await sending;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^the rate was not held: requests left up to \d\.\d\d s late, with at most 64 in flight\n$/);
    expect(Math.max(...receiver.arrivals.map(({ underWay }) => underWay))).toBe(64);
  });
});

test('Ctrl-C ends the sending with what became of it so far, and exit code 130', async () => {
  const receiver = await startWebhookReceiver({ wait: () => new Promise(() => undefined) });
  const interruption = new AbortController();
  const sending = sluice(['send', `${receiver.url}/x`, '--count', '1000', '--rate', '50'], { interruption: interruption.signal });
  await until('some to be under way', () => receiver.arrivals.length >= 3);
  interruption.abort(new ExitError('', INTERRUPTED));
  const { code, stdout } = await sending;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^sent {6}\d\naccepted {2}0\nrefused {3}\d\n {10}\d × not waited for\n/);
});

describe('flags that cannot be meant are refused with what would be right', () => {
  const cases: [args: string[], stderr: string][] = [
    [['--count', '0'], '--count "0": must be a whole number from 1 to 1,000,000'],
    [['--count', '1e3'], '--count "1e3": must be a whole number from 1 to 1,000,000'],
    [['--count', '1', '--rate', '0'], '--rate "0": must be a number above 0, up to 10,000'],
    [['--count', '1', '--rate', '10001'], '--rate "10001": must be a number above 0, up to 10,000'],
    [['--rate', '5'], '--rate is an option of --count; give both'],
    [['--verbose'], '--verbose is an option of --count; give both'],
    [['--count', '2', '--method', 'GET', '--data', 'x'], 'a GET request has no body; leave it out, or choose another --method'],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      expect(await sluice(['send', 'shop/x', ...args])).toEqual({ code: 2, stdout: '', stderr: `sluice: ${message}\n` });
    });
  }
});
