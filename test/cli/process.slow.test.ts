// The command as a process of its own: exit codes, pipes that close, Ctrl-C, and how little it loads.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { adminOf } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { runShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMMAND = `${process.execPath} ${join(ROOT, 'scripts/sluice.mjs')}`;

const gates = createGates();
const app = shareApp(gates.options, async (shared) => {
  await shared.workflow('gated', gatedWorkflow('process', 1));
  await shared.sink({ path: '/gated', workflow_id: 'gated' });
  await shared.sink({ path: '/hook' });
});

const flags = (): string => `--url ${app().url} --token ${adminOf(app())['SLUICE_TOKEN']}`;

describe('the process', () => {
  test('prints results to standard output, all else to standard error, and ends with the exit code', async () => {
    const [sent, failed, misused] = await Promise.all([
      runShell(`${COMMAND} send shop/hook --data '{"a":1}' --url ${app().url}`),
      runShell(`${COMMAND} run get run_none ${flags()}`),
      runShell(`${COMMAND} run get`),
    ]);
    expect(sent).toEqual({ code: 0, stdout: '{\n  "received": true\n}\n', stderr: expect.stringMatching(/^run_\w+\n {2}0%\n100%\n$/) });
    expect(failed).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sluice: there is no such run; it may have been removed by retention (not_found)\n',
    });
    expect(misused).toEqual({
      code: 2,
      stdout: '',
      stderr: "sluice: missing required argument 'run_id'\n(run with --help for usage)\n",
    });
  });

  test('ends quietly when nobody reads its output any more, and with 1 when the output cannot be written', async () => {
    const [piped, full] = await Promise.all([
      runShell(`(${COMMAND} export ${flags()}; echo "exit code $?" >&2) | true`),
      runShell(`${COMMAND} export ${flags()} > /dev/full`),
    ]);
    expect(piped).toEqual({ code: 0, stdout: '', stderr: 'exit code 0\n' });
    expect(full).toEqual({ code: 1, stdout: '', stderr: 'sluice: the output cannot be written (ENOSPC)\n' });
  });

  test('ends with 130 on Ctrl-C, and says how to see the run again', async () => {
    const { runId } = await createClient({ url: app().url }).trigger('/shop/gated');
    const child = spawn(process.execPath, [join(ROOT, 'scripts/sluice.mjs'), 'run', 'tail', runId, '--url', app().url], { stdio: 'pipe' });
    onTestEnd(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await until('the first event to be shown', () => stderr.includes('0%'));
    child.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    expect(stderr).toBe(`  0%\nthe run goes on; "sluice run tail ${runId}" shows it again\n`);
    gates.open('process1');
  });
});

test('sluice listen ends with 0 on Ctrl-C, and says what came', async () => {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/sluice.mjs'), 'listen', '--port', '0'], { stdio: 'pipe' });
  onTestEnd(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const url = await until('it to listen', () => /listening on (\S+)/.exec(stderr)?.[1]);
  await fetch(url);
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(stderr).toBe(`listening on ${url}\n1 request: 1 × 200\n`);
});

test('until a verb is chosen nothing is loaded but the parser of the command line', () => {
  const packages = new Set<string>();
  const files = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, source = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)) {
      if (source.startsWith('.')) visit(join(dirname(file), source));
      else if (!source.startsWith('node:')) packages.add(source);
    }
  };
  visit(join(ROOT, 'src/main.ts'));
  expect([...packages]).toEqual(['commander']);
  expect([...files].map((file) => file.slice(ROOT.length + 1)).sort()).toEqual([
    'src/address-range.ts',
    'src/cli/exit-error.ts',
    'src/cli/io.ts',
    'src/cli/run-cli.ts',
    'src/config/config-values.ts',
    'src/config/config.ts',
    'src/core/values/similar-names.ts',
    'src/main.ts',
    'src/parse-url.ts',
    'src/program-files.ts',
    'src/version.ts',
  ]);
});
