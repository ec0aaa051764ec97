// What `npm ci` emits: it serves without its source and with few packages, and an edit of the source is never overlooked.

import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startMailServer } from './delivery/mail-server.ts';
import { onTestEnd } from './support/cleanup.ts';
import { emit, makeEmittedCopy } from './support/emitted-copy.ts';
import { startHttpReceiver } from './support/http-receiver.ts';
import { startServerProcess } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';

const HOOK = {
  type: 'roboflow_core/webhook_sink@v1',
  name: 'hook',
  method: 'POST',
  fire_and_forget: false,
  multi_part_encoded_files: { image: '$request.body' },
  multi_part_encoded_files_operations: { image: [{ type: 'ConvertImageToJPEG' }] },
};

const MAIL = {
  type: 'roboflow_core/email_notification@v1',
  name: 'mail',
  subject: 'It came',
  message: 'An image came.',
  sender_email: 'sluice@sender.example',
  sender_email_password: 'right',
  receiver_email: 'a@receiver.example',
  smtp_server: '127.0.0.1',
  fire_and_forget: false,
};

function definitions(hookUrl: string, mailPort: number): string {
  const keep = [
    { type: 'sluice/set@v1', name: 'id', values: { id: '$request.body.id' } },
    { type: 'roboflow_core/first_non_empty_or_default@v1', name: 'first', data: ['$steps.id.id'], default: 0 },
  ];
  const send = [
    { ...HOOK, url: hookUrl },
    { ...MAIL, smtp_port: mailPort },
  ];
  const workflow = (id: string, steps: object[], selector: string): object => {
    const outputs = [{ type: 'JsonField', name: 'id', selector }];
    return { app_id: 'shop', id, definition: { version: '1.0', inputs: [], steps, outputs } };
  };
  const sink = (path: string, rest: object): object => ({ app_id: 'shop', path, method: 'POST', response: 'wait', ...rest });
  return JSON.stringify({
    apps: [{ id: 'shop' }],
    workflows: [workflow('keep', keep, '$steps.first.output'), workflow('send', send, '$steps.mail.message')],
    sinks: [sink('/keep', { workflow_id: 'keep' }), sink('/send', { workflow_id: 'send' }), sink('/v7', { payload: 'v7' })],
  });
}

const OUTDATED = /^sluice: src has changed since dist was emitted.*"npm run prepare".*\n$/;

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');

const ADMIN = { headers: { authorization: 'Bearer admin-token-of-the-tests' } };

const LARGE = 'x'.repeat(2 ** 18);

/** Packages of which the bundle needs files: two with native code, and the character sets, which few requests need. */
const NOT_BUNDLED = ['better-sqlite3', 'sharp', '@exodus/bytes'];

test('the bundle needs no source and few packages, in threads and on demand', { timeout: 90_000 }, async () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  rmSync(join(copy, 'src'), { recursive: true });
  keepPackages(copy, NOT_BUNDLED);
  const [receiver, mailServer] = [await startHttpReceiver(onTestEnd), await startMailServer()];
  const config = join(copy, 'definitions.yaml');
  writeFileSync(config, definitions(receiver.url, mailServer.port));
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.1' };
  const server = await startServerProcess({ copy, dataDir: join(copy, 'data'), env, args: ['--config', config] });
  const send = async (path: string, type: string, body: string | Buffer): Promise<unknown> => {
    const headers = { 'content-type': type };
    return await (await fetch(`${server.url}/shop${path}`, { method: 'POST', headers, body })).json();
  };
  expect(await send('/keep', 'application/json', '{"id":7}')).toMatchObject({ status: 'completed', output: { id: 7 } });
  const large = JSON.stringify({ id: 8, filler: LARGE });
  expect(await send('/keep', 'application/json', large)).toMatchObject({ status: 'completed', output: { id: 8 } });
  const item = { name: LARGE, path: '/', slots: [{ type: 'image', slot_name: '0', width: 640, height: 480 }] };
  const exported = JSON.stringify({ version: '2.0', item, annotations: [] });
  expect(await send('/v7', 'application/json', exported)).toMatchObject({ status: 'completed' });
  const latin = Buffer.from('id=\xe9', 'latin1');
  expect(await send('/keep', 'text/plain; charset=windows-1252', latin)).toMatchObject({ status: 'completed' });

  expect(await send('/send', 'image/png', PIXEL)).toMatchObject({ status: 'completed' });
  // A JPEG begins with FF D8 FF DB, none of which is UTF-8.
  expect(receiver.received[0]?.body).toMatch(/\r\n\r\n\ufffd{4}/);
  expect(mailServer.mails[0]?.content).toContain('An image came.');

  expect(await (await fetch(`${server.url}/api/v1/openapi.json`, ADMIN)).json()).toMatchObject({ openapi: '3.1.0' });
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
});

test('an edit of the source or another package counts at the next start, and serve says why that takes longer', {
  timeout: 90_000,
}, async () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  const versionFile = join(copy, 'src/version.ts');
  const text = readFileSync(versionFile, 'utf8');
  const { version } = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as { version: string };
  expect(await run(copy, '--version')).toEqual({ stdout: `${version}\n`, stderr: '' });

  // An editor or a tool may set the time back: a change counts all the same.
  writeFileSync(versionFile, text.replace(/VERSION = .*;$/m, "VERSION = 'edited';"));
  const { atime, mtime } = statSync(join(copy, 'package.json'));
  utimesSync(versionFile, atime, mtime);
  expect(await run(copy, '--version')).toEqual({ stdout: 'edited\n', stderr: '' });
  expect((await run(copy, 'serve', '--help')).stderr).toMatch(OUTDATED);

  emit(copy);
  expect(await run(copy, 'serve', '--help')).toMatchObject({ stderr: '' });
  expect(await run(copy, '--version')).toEqual({ stdout: 'edited\n', stderr: '' });

  appendFileSync(join(copy, 'package-lock.json'), '\n');
  expect((await run(copy, 'serve', '--help')).stderr).toMatch(OUTDATED);

  rmSync(join(copy, 'dist'), { recursive: true });
  expect(await run(copy, 'serve', '--help')).toMatchObject({ stderr: '' });
});

test('a stack trace names the function', { timeout: 90_000 }, async () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  appendFileSync(join(copy, 'src/version.ts'), "function breakDown(): never {\n  throw new Error('broken');\n}\nbreakDown();\n");
  emit(copy);
  await expect(run(copy, '--version')).rejects.toThrow(/Error: broken\n {4}at breakDown \(file:.*\/dist\/.*\.cjs:\d+:\d+\)/);
});

test('code that was compiled of another source is not run, and a broken cache only makes a start slower', { timeout: 90_000 }, async () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  const [bundle, cache] = [join(copy, 'dist/client.cjs'), join(copy, 'dist/client.cache')];
  const bytes = readFileSync(cache);
  writeFileSync(bundle, readFileSync(bundle, 'utf8').replaceAll('Self-hosted', 'Self-edited'));
  expect((await run(copy, '--help')).stdout).toContain('Self-edited');
  writeFileSync(bundle, readFileSync(bundle, 'utf8').replaceAll('Self-edited', 'Self-hosted'));
  for (const broken of [bytes.subarray(0, bytes.length / 2), bytes.map((byte, at) => (at > 99 ? byte ^ 1 : byte)), Buffer.alloc(0)]) {
    writeFileSync(cache, broken);
    const { stdout, stderr } = await run(copy, '--help');
    expect({ isHelp: stdout.includes('Self-hosted'), stderr }).toEqual({ isHelp: true, stderr: '' });
  }
});

function run(copy: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [join(copy, 'scripts/sluice.mjs'), ...args]);
}

/** Leaves only these packages in the copy. */
function keepPackages(copy: string, names: readonly string[]): void {
  const modules = join(copy, 'node_modules');
  const installed = realpathSync(modules);
  rmSync(modules);
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(installed, name), join(modules, name));
  }
}
