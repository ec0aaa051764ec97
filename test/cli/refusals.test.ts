// `sluice rejection`, `sluice client` and `sluice sink capture-refused`: what an operator reads and does when requests are refused.

import { expect, test } from 'vitest';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const EVIL = encodeURIComponent('\u001b]0;owned\u0007\u202e');

let sinkId = '';
const app = shareApp({}, async (shared) => {
  sinkId = (await shared.sink({ path: '/in', auth_token: 'right' })).id;
});

const run = (...args: string[]): Promise<CliResult> => sluice(args, { environment: adminOf(app()) });

async function refuse(body: string): Promise<void> {
  const headers = { authorization: 'Bearer wrong', 'x-evil': EVIL };
  await (await fetch(`${app().url}/shop/in`, { method: 'POST', headers, body })).text();
}

test('a refused request is captured, listed with its usual cause, and shown without its secret', async () => {
  const armed = await run('sink', 'capture-refused', 'shop/in');
  expect(armed).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/POST \/shop\/in refuses until .* is kept for an hour/),
  });
  await refuse('{"event": 1}');
  const list = await until('the rejection', async () => {
    const result = await run('rejection', 'list', '--sink', sinkId, '--reason', 'wrong_token');
    return result.stdout !== '' && result;
  });
  expect(list.stdout).toMatch(
    /^POSITION +LAST +REASON +STATUS +COUNT +CLIENT +METHOD +PATH\n\d+ .* wrong_token +401 +1 +127.0.0.1 +POST +\/shop\/in\n$/,
  );
  expect(list.stderr).toBe('wrong_token: The sender has an old or a mistyped token, or somebody guesses.\n');
  const position = /^(\d+) /m.exec(list.stdout)?.[1] as string;
  const shown = await run('rejection', 'get', position);
  expect(shown.stdout).toContain('reason      wrong_token\n');
  expect(shown.stdout).toContain('authorization: ********\n');
  expect(shown.stdout).toContain('\n\n{"event": 1}\n');
  expect(shown.stdout).not.toContain('Bearer wrong');
  const json = JSON.parse((await run('rejection', 'get', position, '-o', 'json')).stdout);
  expect(json.capture.body.text).toBe('{"event": 1}');
  expect((await run('rejection', 'list', '--client', '192.0.2.1')).stderr).toBe('no refused triggers\n');
});

test('a client is blocked for a time, listed and unblocked', async () => {
  expect((await run('client', 'list')).stderr).toBe('no blocked clients\n');
  expect((await run('client', 'block', '203.0.113.9', '--for', '30m')).stderr).toMatch(/^203\.0\.113\.9 is blocked until /);
  expect((await run('client', 'list')).stdout).toMatch(/^CLIENT +BLOCKED +ENDS\n203\.0\.113\.9 /);
  expect((await run('client', 'unblock', '203.0.113.9')).stderr).toBe('203.0.113.9 is no longer blocked\n');
});

test.each([
  [2, ['client', 'block', '203.0.113.9', '--for', 'soon'], '--for: "soon" is not a duration'],
  [2, ['client', 'block', '203.0.113.9', '--for', '0h'], '--for: "0h" is not a duration'],
  [1, ['client', 'block', 'localhost'], 'neither an address nor a CIDR'],
  [1, ['client', 'unblock', '192.0.2.1'], 'is not blocked'],
  [2, ['rejection', 'get', 'x'], 'position "x": must be a whole number'],
  [1, ['rejection', 'get', '99999999'], 'there is no such rejection'],
  [2, ['rejection', 'list', '--reason', 'nonsense'], '--reason'],
  [2, ['sink', 'capture-refused', 'nothing here'], 'sink: "nothing here" is not a sink; write its URL, or app/path'],
  [2, ['sink', 'capture-refused', 'http://localhost:1/shop/in'], 'write app/path, and --url for the server'],
  [1, ['sink', 'capture-refused', 'shop/nothing'], 'sink: no sink is at /shop/nothing'],
])('exit code %i of %j says why', async (code, args, message) => {
  expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
});
