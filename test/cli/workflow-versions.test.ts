// `sluice workflow versions`, `diff` and `rollback`, on a server.

import { expect, test } from 'vitest';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';

const app = shareApp({}, async ({ workflow }) => {
  for (const n of [1, 2]) await workflow('flow', { steps: [{ type: 'sluice/set@v1', name: 's', values: { n } }] });
  await workflow('single', {});
});

const run = (...args: string[]): Promise<CliResult> => sluice(['workflow', ...args], { environment: adminOf(app()) });

test('versions lists them, newest first', async () => {
  const { code, stdout } = await run('versions', 'shop/flow');
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^VERSION +SAVED +CURRENT$/),
    expect.stringMatching(/^2 +\d{4}-.*Z +yes$/),
    expect.stringMatching(/^1 +\d{4}-.*Z +-$/),
  ]);
  const page = await run('versions', 'shop/flow', '--limit', '1', '-o', 'json');
  expect(JSON.parse(page.stdout)).toMatchObject({ versions: [{ version: 2, is_current: true }], next_cursor: 2 });
  expect((await run('versions', 'shop/flow', '--limit', '1')).stderr).toContain('--cursor 2');
});

test('diff compares the last two, or those that are named', async () => {
  expect(await run('diff', 'shop/flow')).toEqual({ code: 0, stdout: '~ step s: /values/n\n', stderr: 'from version 1 to version 2\n' });
  expect((await run('diff', 'shop/flow', '2', '1')).stderr).toBe('from version 2 to version 1\n');
  expect(await run('diff', 'shop/flow', '2')).toEqual({ code: 0, stdout: '', stderr: 'version 2 and version 2 do not differ\n' });
  expect(JSON.parse((await run('diff', 'shop/flow', '-o', 'json')).stdout)).toMatchObject({ from: 1, to: 2 });
  expect(await run('diff', 'shop/single')).toMatchObject({ code: 1, stderr: 'sluice: shop/single has one version only\n' });
});

test('rollback saves an earlier version again, once', async () => {
  expect(await run('rollback', 'shop/flow', '1')).toEqual({
    code: 0,
    stdout: '',
    stderr: 'version 3 of shop/flow has the definition of version 1\n',
  });
  expect((await run('rollback', 'shop/flow', '1')).stderr).toContain('nothing is changed');
  expect((await app().admin('GET', '/apps/shop/workflows/flow')).body.version).toBe(3);
  expect(await run('rollback', 'shop/flow', '9')).toMatchObject({ code: 1, stderr: expect.stringContaining('no version 9') });
});

test('arguments that name no workflow or version are wrong usage', async () => {
  for (const args of [
    ['versions', 'flow'],
    ['versions', 'shop/flow/x'],
    ['versions', '/flow'],
    ['diff', 'shop/flow', 'x'],
    ['diff', 'shop/flow', '0'],
    ['rollback', 'shop/flow', '-1'],
    ['rollback', 'shop/flow', 'latest'],
    ['rollback', 'shop/flow'],
    ['versions', 'shop/flow', '--limit', '101'],
    ['versions', 'shop/flow', '--cursor', '1e3'],
  ])
    expect((await run(...args)).code, args.join(' ')).toBe(2);
  expect(await run('versions', 'shop/none')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('app "shop" has no workflow "none"'),
  });
});
