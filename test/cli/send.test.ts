// `sluice send`: what it sends, what it shows, and how it ends.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ExitError, INTERRUPTED } from '../../src/cli/exit-error.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const RUN = /run_[0-9a-z]+/g;
const gates = createGates();

/** Gives back the request as the run saw it. */
const ECHO = {
  steps: [
    {
      type: 'sluice/set@v1',
      name: 'seen',
      values: {
        method: '$request.method',
        path: '$request.path',
        query: '$request.query',
        body: '$request.body',
        headers: '$request.headers',
        files: '$request.files',
      },
    },
  ],
  outputs: ['method', 'path', 'query', 'body', 'headers', 'files'].map((name) => ({
    type: 'JsonField',
    name,
    selector: `$steps.seen.${name}`,
  })),
};

const app = shareApp(gates.options, async (shared) => {
  await shared.workflow('echo', ECHO);
  await shared.sink({ path: '/echo/*', method: 'ANY', workflow_id: 'echo' });
  await shared.sink({ path: '/locked', workflow_id: 'echo', auth_token: 'open-sesame' });
  await shared.workflow('gated', gatedWorkflow('send', 2));
  await shared.sink({ path: '/gated', workflow_id: 'gated' });
  await shared.workflow('failing', { steps: [{ type: 'sluice/fail@v1', name: 'pay', message: 'card \u001b[31mrefused' }] });
  await shared.sink({ path: '/failing', workflow_id: 'failing' });
});

const send = (args: string[], options: Parameters<typeof sluice>[1] = {}) =>
  sluice(['send', ...args], { environment: { SLUICE_URL: app().url }, ...options });

async function sent(args: string[], options: Parameters<typeof sluice>[1] = {}): Promise<any> {
  const { code, stdout, stderr } = await send(args, options);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('the run', () => {
  test('shows its id and its progress on standard error, and its output alone as JSON on standard output', async () => {
    for (const gate of ['send1', 'send2']) gates.open(gate);
    const { code, stdout, stderr } = await send(['shop/gated']);
    expect(code).toBe(0);
    expect(stdout).toBe('{\n  "done": true\n}\n');
    expect(stderr.replace(RUN, 'run_x')).toBe('run_x\n  0%\n 50%  g1\n100%\n');
  });

  test('shows a bar that is redrawn where standard error is a terminal, cut to its width', async () => {
    const { stdout, stderr } = await send(['shop/gated'], { columns: 44 });
    expect(stdout).toBe('{\n  "done": true\n}\n');
    expect(stderr.replace(RUN, 'run_x')).toBe(
      [
        'run_x\n',
        '\r[                              ]   0%\x1b[K',
        '\r[===============               ]  50%  g1\x1b[K',
        '\r[==============================] 100%\x1b[K',
        '\n',
      ].join(''),
    );
    const narrow = await send(['shop/gated'], { columns: 20 });
    for (const line of narrow.stderr.split(/[\r\n]/).slice(2)) expect(line.replace('\x1b[K', '').length).toBeLessThan(20);
  });

  test('that fails ends with exit code 1 and one line that names run, step, message and code, safe for a terminal', async () => {
    const { code, stdout, stderr } = await send(['shop/failing']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.replace(RUN, 'run_x')).toMatch(/\nsluice: run_x, step "pay": card \\u001b\[31mrefused \(\w+\)\n$/);
    expect(stderr).not.toContain('\x1b');
  });

  test('goes on when the sender is interrupted, who is told how to see it again', async () => {
    await app().workflow('interrupted', gatedWorkflow('interrupted', 1));
    await app().sink({ path: '/interrupted', workflow_id: 'interrupted' });
    const interruption = new AbortController();
    const onStderr = (text: string): void => {
      if (text.includes('0%')) interruption.abort(new ExitError('', INTERRUPTED));
    };
    const { code, stdout, stderr } = await send(['shop/interrupted'], { interruption: interruption.signal, onStderr });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    const [runId] = stderr.match(RUN) as [string];
    expect(stderr).toBe(`${runId}\n  0%\nthe run goes on; "sluice run tail ${runId}" shows it again\n`);
    gates.open('interrupted1');
    expect(await sluice(['run', 'tail', runId, '--url', app().url])).toMatchObject({ code: 0, stdout: '{\n  "done": true\n}\n' });
  });
});

describe('the request', () => {
  test('goes to a sink named by app and path, by the path of any route, or by its whole URL', async () => {
    const targets = [
      'shop/echo/a?b=1',
      '/shop/echo/a?b=1',
      'sink/trigger/http/shop/echo/a?b=1',
      '/api/v1/sink/trigger/http/shop/echo/a?b=1',
    ];
    for (const target of [...targets, `${app().url}/shop/echo/a?b=1`, `${app().url}/sink/trigger/http/shop/echo/a?b=1`]) {
      expect(await sent([target]), target).toMatchObject({ method: 'POST', path: '/echo/a', query: { b: '1' } });
    }
  });

  test('carries JSON as it was written, from the flag, a file or standard input', async () => {
    const text = '{"id":12345678901234567890,"price":1.0}';
    const file = join(tempDir(), 'body.json');
    writeFileSync(file, text);
    for (const args of [
      ['--json', text],
      ['--json', `@${file}`],
      ['--json', '@-'],
      ['--data', text],
      ['--data', `@${file}`],
      ['--data', '@-'],
    ]) {
      const { stdout } = await send(['shop/echo/json', ...args], { stdin: text });
      expect(stdout, args.join(' ')).toContain('"body": {\n    "id": 12345678901234567890,\n    "price": 1.0\n  }');
    }
  });

  test('carries data as text or bytes when it is no JSON, and of the type that a header names', async () => {
    expect(await sent(['shop/echo/x', '--data', 'plain words'])).toMatchObject({
      body: 'plain words',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    const file = join(tempDir(), 'image.bin');
    writeFileSync(file, Buffer.from([0xff, 0xd8, 0x00]));
    expect(await sent(['shop/echo/x', '--data', `@${file}`])).toMatchObject({
      files: [{ content_type: 'application/octet-stream', size: 3 }],
    });
    expect(await sent(['shop/echo/x', '--data', 'a=1', '--header', 'Content-Type: application/x-www-form-urlencoded'])).toMatchObject({
      body: { a: '1' },
    });
  });

  test('carries a form, and files with their names', async () => {
    expect(await sent(['shop/echo/f', '--form', 'a=1', '--form', 'b=x=y', '--form', 'a=2'])).toMatchObject({
      body: { a: ['1', '2'], b: 'x=y' },
    });
    const file = join(tempDir(), 'mask.png');
    writeFileSync(file, 'pixels');
    expect(await sent(['shop/echo/f', '--form', 'kind=mask', '--file', `image=@${file}`, '--file', `again=${file}`])).toMatchObject({
      body: { kind: 'mask' },
      files: [
        { name: 'image', filename: 'mask.png', size: 6 },
        { name: 'again', filename: 'mask.png', size: 6 },
      ],
    });
  });

  test('has the method and the headers that were asked for', async () => {
    expect(await sent(['shop/echo/m', '--method', 'DELETE', '--header', 'X-One: 1', '--header', 'x-two:2'])).toMatchObject({
      method: 'DELETE',
      headers: { 'x-one': '1', 'x-two': '2' },
    });
    expect(await sent(['shop/echo/m', '--method', 'GET'])).toMatchObject({ method: 'GET', body: null });
  });

  test("carries the sink's token only when it was given, never that of the administrator", async () => {
    expect(await send(['shop/locked', '--token', 'open-sesame'])).toMatchObject({ code: 0 });
    const { code, stderr } = await send(['shop/locked'], {
      environment: { SLUICE_URL: app().url, SLUICE_TOKEN: 'admin-token-of-the-tests', SLUICE_ADMIN_TOKEN: 'x' },
    });
    expect(code).toBe(1);
    expect(stderr).toBe('sluice: a token is required: send "Authorization: Bearer <token>"; give it with --token (unauthorized)\n');
  });
});

describe('a request that cannot be sent', () => {
  test('to a sink that does not exist is refused in the words of the server', async () => {
    expect(await send(['shop/nowhere'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sluice: no sink found for POST /shop/nowhere (not_found)\n',
    });
  });

  test('for want of its file names flag and file', async () => {
    const missing = join(tempDir(), 'missing.json');
    for (const [flag, value] of [
      ['--json', `@${missing}`],
      ['--data', `@${missing}`],
      ['--file', `f=@${missing}`],
    ] as const) {
      expect(await send(['shop/echo/x', flag, value])).toEqual({
        code: 1,
        stdout: '',
        stderr: `sluice: ${flag}: ${missing} cannot be read (ENOENT)\n`,
      });
    }
  });
});
