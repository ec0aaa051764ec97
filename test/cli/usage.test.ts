// Wrong usage of the command line: named, with what is possible, and exit code 2.

import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { sluice } from '../support/run-cli.ts';

const HINT = '(run with --help for usage)\n';

describe('what is wrong is named with exit code 2', () => {
  const cases: [what: string, args: string[], stderr: string][] = [
    ['an unknown verb', ['rum'], `sluice: unknown command 'rum'\n(Did you mean run?)\n${HINT}`],
    ['an unknown verb of a noun', ['run', 'lst'], `sluice: unknown command 'lst'\n(Did you mean list?)\n${HINT}`],
    ['an unknown flag', ['run', 'list', '--staus', 'failed'], `sluice: unknown option '--staus'\n(Did you mean --status?)\n${HINT}`],
    ['a flag without its value', ['serve', '--port'], `sluice: option '--port <value>' argument missing\n${HINT}`],
    ['a missing argument', ['run', 'get'], `sluice: missing required argument 'run_id'\n${HINT}`],
    ['one argument too many', ['export', 'file'], `sluice: too many arguments for 'export'. Expected 0 arguments but got 1.\n${HINT}`],
    [
      'an unknown output format',
      ['sink', 'list', '-o', 'xml'],
      `sluice: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are table, json.\n${HINT}`,
    ],
    [
      'an unknown status',
      ['run', 'list', '--status', 'done'],
      `sluice: option '--status <status>' argument 'done' is invalid. Allowed choices are queued, running, waiting, completed, failed, cancelled.\n${HINT}`,
    ],
    [
      'an address that cannot be one',
      ['run', 'list', '--url', 'localhost', '--token', 't'],
      'sluice: "localhost" is not the address of a server; write it as http://127.0.0.1:9657\n',
    ],
    [
      'a token that cannot be one',
      ['run', 'list', '--url', 'http://h', '--token', 'a b'],
      'sluice: the token must be visible ASCII characters without spaces\n',
    ],
    ['a sink without a path', ['sink', 'create', '--app', 'shop'], 'sluice: --path is missing\n'],
    [
      'two bodies',
      ['send', 'shop/x', '--json', '{}', '--form', 'a=b'],
      'sluice: a request has only one body: give --data, or --json, or --form and --file\n',
    ],
    [
      'a body of a GET',
      ['send', 'shop/x', '--method', 'GET', '--data', 'x'],
      'sluice: a GET request has no body; leave it out, or choose another --method\n',
    ],
    ['a form field without a name', ['send', 'shop/x', '--form', 'abc'], 'sluice: --form "abc": write it as name=value\n'],
    [
      'a header without a colon',
      ['send', 'shop/x', '--url', 'http://h', '--header', 'abc'],
      'sluice: --header "abc": write it as name: value\n',
    ],
  ];
  for (const [what, args, stderr] of cases) {
    test(`${what}`, async () => {
      expect(await sluice(args)).toEqual({ code: 2, stdout: '', stderr });
    });
  }
});

test('the command alone, and a noun alone, show what is possible with exit code 2', async () => {
  const alone = await sluice([]);
  expect(alone).toMatchObject({ code: 2, stdout: '' });
  for (const verb of [
    'serve',
    'send',
    'listen',
    'run',
    'sink',
    'workflow',
    'validate',
    'diff',
    'apply',
    'export',
    'config',
    'healthcheck',
  ]) {
    expect(alone.stderr).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
  }
  expect(await sluice(['run'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('  tail ') });
});

test('--help and --version print to standard output with exit code 0', async () => {
  expect(await sluice(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  for (const args of [
    ['run', 'list', '--help'],
    ['help', 'run'],
    ['run', 'help', 'list'],
    ['send', '-h'],
    ['serve', '--help'],
  ]) {
    const help = await sluice(args);
    expect(help, args.join(' ')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`Usage: sluice ${args.includes('run') ? 'run' : args[0]}`),
    });
  }
});
