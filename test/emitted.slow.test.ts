// What `npm ci` emits: it serves without its source and without tsx, and an edit of the source is never overlooked.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { emit, makeEmittedCopy } from './support/emitted-copy.ts';
import { startServerProcess } from './support/server-process.ts';
import { tempDir } from './support/temp-dir.ts';

const DEFINITIONS = JSON.stringify({
  apps: [{ id: 'shop' }],
  workflows: [
    {
      app_id: 'shop',
      id: 'keep',
      definition: {
        version: '1.0',
        inputs: [],
        steps: [
          { type: 'sluice/set@v1', name: 'id', values: { id: '$request.body.id' } },
          { type: 'roboflow_core/first_non_empty_or_default@v1', name: 'first', data: ['$steps.id.id'], default: 0 },
        ],
        outputs: [{ type: 'JsonField', name: 'id', selector: '$steps.first.output' }],
      },
    },
  ],
  sinks: [
    { app_id: 'shop', path: '/keep', method: 'POST', response: 'wait', workflow_id: 'keep' },
    { app_id: 'shop', path: '/v7', method: 'POST', response: 'wait', payload: 'v7' },
  ],
});

const LARGE = 'x'.repeat(2 ** 18);

test('the emitted server needs no source; it reads large bodies and large documents in threads', { timeout: 90_000 }, async () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  rmSync(join(copy, 'src'), { recursive: true });
  const definitions = join(copy, 'definitions.yaml');
  writeFileSync(definitions, DEFINITIONS);
  const server = await startServerProcess({ copy, dataDir: join(copy, 'data'), args: ['--config', definitions] });
  const send = async (path: string, body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    return await (await fetch(`${server.url}/shop${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  expect(await send('/keep', { id: 7 })).toMatchObject({ status: 'completed', output: { id: 7 } });
  expect(await send('/keep', { id: 8, filler: LARGE })).toMatchObject({ status: 'completed', output: { id: 8 } });
  const item = { name: LARGE, path: '/', slots: [{ type: 'image', slot_name: '0', width: 640, height: 480 }] };
  expect(await send('/v7', { version: '2.0', item, annotations: [] })).toMatchObject({ status: 'completed' });
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
});

test('an edit of the source counts at the next start, and serve says why that takes longer', { timeout: 90_000 }, async () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [join(copy, 'scripts/sluice.mjs'), ...args]);
  const versionFile = join(copy, 'src/version.ts');
  const text = readFileSync(versionFile, 'utf8');
  const { version } = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as { version: string };
  expect(await run('--version')).toEqual({ stdout: `${version}\n`, stderr: '' });

  // An editor or a tool may set the time back: a change counts all the same.
  writeFileSync(versionFile, text.replace(/= .*;$/m, "= 'edited';"));
  const { atime, mtime } = statSync(join(copy, 'package.json'));
  utimesSync(versionFile, atime, mtime);
  expect(await run('--version')).toEqual({ stdout: 'edited\n', stderr: '' });
  expect((await run('serve', '--help')).stderr).toMatch(/^sluice: src has changed since dist was emitted.*"npm run prepare".*\n$/);

  emit(copy);
  expect(await run('serve', '--help')).toMatchObject({ stderr: '' });
  expect(await run('--version')).toEqual({ stdout: 'edited\n', stderr: '' });

  rmSync(join(copy, 'dist'), { recursive: true });
  expect(await run('serve', '--help')).toMatchObject({ stderr: '' });
});

test('where TypeScript is not installed nothing is emitted, and nothing fails', () => {
  const copy = tempDir();
  makeEmittedCopy(copy);
  const emitted = statSync(join(copy, 'dist/main.js')).mtimeMs;
  rmSync(join(copy, 'node_modules'));
  emit(copy);
  expect(statSync(join(copy, 'dist/main.js')).mtimeMs).toBe(emitted);
});
