// What definition files may hold: anchors, merge keys and notes of the author's own; and what they may not: whatever JSON
// does not have, and text that is made to harm whoever reads it. Each fault is told with file and line.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringifyJson } from '../../src/core/json/json.ts';
import { readDefinitionFiles } from '../../src/definitions/files/definition-files.ts';
import { sluice } from '../support/run-cli.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Several files are read as a folder; their names are given without it. */
async function read(files: Record<string, string | Buffer>, environment: Record<string, string> = {}) {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { document, settings, faults, locate } = await readDefinitionFiles(folder, environment);
  const bare = (text: string): string => text.replaceAll(`${folder}/`, '');
  return { document, settings, faults: faults.map(bare), locate: (path: string, message = 'm') => bare(locate({ path, message })) };
}

const sink = (path: string): object => ({ app_id: 'a', method: 'POST', path });

describe('a file may hold', () => {
  const good: [string, string, object[]][] = [
    ['a merge key', 'sinks:\n  - &hook { app_id: a, method: POST, path: /x }\n  - { <<: *hook, path: /y }\n', [sink('/x'), sink('/y')]],
    [
      'a merge key after what it does not override',
      'x-hook: &hook { app_id: a, method: POST, path: /x }\nsinks:\n  - path: /y\n    <<: *hook\n',
      [sink('/y')],
    ],
    [
      'a merge key of several, of which the first wins',
      'x-a: &a { app_id: a, method: POST }\nx-b: &b { app_id: b, path: /b }\nsinks:\n  - { <<: [*a, *b] }\n',
      [sink('/b')],
    ],
    [
      'a merge key of what merges itself',
      'x-a: &a { app_id: a }\nx-b: &b { <<: *a, method: POST }\nsinks: [{ <<: *b, path: /z }]\n',
      [sink('/z')],
    ],
    [
      'a merge key by the older version',
      '%YAML 1.1\n---\nx-a: &a { app_id: a, method: POST }\nsinks:\n  - <<: *a\n    path: /x\n',
      [sink('/x')],
    ],
    ['the text "<<" as a key, in quotes', 'sinks: [{ "<<": { app_id: a } }]\n', [{ '<<': { app_id: 'a' } }]],
    [
      'keys of its own, at the top and in each definition',
      'x-note: anything\nx-list: [1, 2]\nsinks:\n  - { app_id: a, method: POST, path: /x, x-owner: team-a }\n',
      [sink('/x')],
    ],
    [
      'an anchor that is given anew',
      'x-1: &p /one\nsinks:\n  - { app_id: a, method: POST, path: *p }\n  - { app_id: a, method: POST, path: &p /two }\n  - { app_id: a, method: POST, path: *p }\n',
      [sink('/one'), sink('/two'), sink('/two')],
    ],
    ['a byte order mark', '\ufeffsinks: [{ app_id: a, method: POST, path: /x }]\n', [sink('/x')]],
    ['lines that end as on Windows', 'sinks:\r\n  - app_id: a\r\n    method: POST\r\n    path: /x\r\n', [sink('/x')]],
    ['JSON', `{"sinks": [${JSON.stringify(sink('/x'))}]}`, [sink('/x')]],
    ['one document between its marks', `---\nsinks: [{ app_id: a, method: POST, path: /x }]\n...\n`, [sink('/x')]],
    ['an explicit null and a number as a key', 'sinks: [{ auth_token: null, 1.0: ~ }]\n', [{ auth_token: null, '1.0': null }]],
  ];
  for (const [what, text, sinks] of good) {
    test(what, async () => {
      const { document, faults } = await read({ 'a.yaml': text });
      expect({ faults, sinks: document.sinks }).toEqual({ faults: [], sinks });
    });
  }

  test('numbers, digit for digit', async () => {
    const text = 'sinks: [[1.0, 12345678901234567890, 1e400, -0, 0.70, 7, 0x1F, +12, 1.5e3]]\n';
    expect(stringifyJson((await read({ 'a.yaml': text })).document.sinks[0])).toBe(
      '[1.0,12345678901234567890,1e400,-0,0.70,7,31,12,1.5e3]',
    );
  });

  test('settings in several files, each of them once', async () => {
    const { settings, faults } = await read({ 'a.yaml': 'settings: { port: 1 }\n', 'b.yaml': 'settings:\n  rate_limit: 5\n  port: 2\n' });
    expect(settings).toMatchObject({ rate_limit: 5 });
    expect(faults).toEqual([expect.stringMatching(/^b\.yaml:3: settings\.port: is already set in .*a\.yaml$/)]);
  });
});

describe('a fault is told at its line', () => {
  const bad: [string, string | Buffer, string][] = [
    ['infinity', 'x: 1\nsinks:\n  - limit: .inf\n', 'a.yaml:3: .inf is not a JSON number'],
    ['minus infinity', 'x-a: -.INF\n', 'a.yaml:1: -.INF is not a JSON number'],
    ['not a number', 'x-a:\n  - .nan\n', 'a.yaml:2: .nan is not a JSON number'],
    ['bytes', 'x-a:\n  icon: !!binary aGk=\n', 'a.yaml:2: the tag !!binary has no equivalent in JSON'],
    ['a set', 'x-a: !!set { a, b }\n', 'a.yaml:1: the tag !!set has no equivalent in JSON'],
    ['a map with an order', 'x-a: !!omap [a: 1]\n', 'a.yaml:1: the tag !!omap has no equivalent in JSON'],
    ['a time', '\nx-a: !!timestamp 2001-01-01\n', 'a.yaml:2: the tag !!timestamp has no equivalent in JSON'],
    ['a tag of somebody', 'x-a: !secret abc\n', 'a.yaml:1: the tag !secret has no equivalent in JSON'],
    ['a time by the older version', '%YAML 1.1\n---\nx-a: 2001-01-01\n', 'a.yaml:3: the value has no equivalent in JSON'],
    ['a number that no text keeps', 'x-a: 0xFFFFFFFFFFFFFFFF\n', 'a.yaml:1: 0xFFFFFFFFFFFFFFFF is too large; write it as a decimal'],
    ['a key that is a list', 'x-a:\n  ? [a, b]\n  : c\n', 'a.yaml:2: a key must be text'],
    ['a key that is missing', 'x-a: { ~: b }\n', 'a.yaml:1: a key must be text'],
    ['a key that poisons', 'x-a:\n  __proto__: { a: 1 }\n', 'a.yaml:2: no key may be "__proto__"'],
    ['a key twice', 'sinks:\n  - path: /x\n    method: POST\n    path: /y\n', 'a.yaml:4: field "path" appears twice'],
    ['a key twice, as a number and as a text', 'x-a:\n  1: a\n  "1": b\n', 'a.yaml:3: field "1" appears twice'],
    ['the merge key twice', 'x-a: &a { b: 1 }\nx-c:\n  <<: *a\n  <<: *a\n', 'a.yaml:4: field "<<" appears twice'],
    ['a merge of no mapping', 'x-a: &a [1]\nx-c:\n  <<: *a\n', 'a.yaml:1: the merge key "<<" needs a mapping, or a list of mappings'],
    ['a merge of a text', 'x-c:\n  <<: text\n', 'a.yaml:2: the merge key "<<" needs a mapping, or a list of mappings'],
    ['an alias of nothing', 'x-c:\n  - *nope\n', 'a.yaml:2: the alias *nope has no earlier anchor &nope'],
    ['an alias before its anchor', 'x-a: *late\nx-b: &late 1\n', 'a.yaml:1: the alias *late has no earlier anchor &late'],
    ['what holds itself', 'x-a: &a\n  - *a\n', 'a.yaml:2: is nested deeper than 100 levels'],
    ['a tab as indentation', 'sinks:\n\t- path: /x\n', 'a.yaml:2: Tabs are not allowed as indentation'],
    ['a second document', 'sinks: []\n---\nsinks: []\n', 'a.yaml:2: a second document begins here; a file can have only one'],
    ['bytes that are not UTF-8', Buffer.from('sinks: []\nx-a: caf\xe9\n', 'latin1'), 'a.yaml:2: is not UTF-8'],
    ['UTF-16', Buffer.from('\ufeffsinks: []\n', 'utf16le'), 'a.yaml:1: is not UTF-8'],
    ['a list at the top', '\n- a\n', 'a.yaml:2: must be a mapping with apps, workflows, sinks'],
    ['a number at the top', '12.0\n', 'a.yaml:1: must be a mapping with apps, workflows, sinks'],
    ['a list that is none', 'x-a: 1\nsinks: { a: 1 }\n', 'a.yaml:2: sinks: must be a list'],
    [
      'a token that a template left out',
      'sinks:\n  - path: /x\n    auth_token:\n    method: POST\n',
      'a.yaml:3: sinks[0].auth_token: has no value',
    ],
    ['credentials that a template left out', 'x-a: &a { auth: }\nsinks:\n  - { <<: *a }\n', 'a.yaml:1: sinks[0].auth: has no value'],
  ];
  for (const [what, text, expected] of bad) {
    test(what, async () => {
      const { faults } = await read({ 'a.yaml': text });
      expect(faults.map((line) => line.slice(0, expected.length))).toContain(expected);
    });
  }

  test('all of them, each once, however often an alias repeats it, and the text of the file in none', async () => {
    const text = `x-a: &a { b: .inf, c: "\${env:GONE}" }\nx-b: [*a, *a, *a]\nx-c: !!binary c2VjcmV0\nx-d: 'secret\n`;
    expect((await read({ 'a.yaml': text.replace("'secret", 'secret') })).faults).toEqual([
      'a.yaml:1: .inf is not a JSON number',
      `a.yaml:1: environment variable GONE is not set, but \${env:GONE} needs it`,
      'a.yaml:3: the tag !!binary has no equivalent in JSON',
    ]);
    expect((await read({ 'a.yaml': text })).faults.join()).not.toContain('secret');
  });
});

describe('a file that is made to harm', { timeout: 90_000 }, () => {
  const lines = Array.from(
    { length: 12 },
    (_, index) =>
      `x-${index}: &b${index} [${Array(9)
        .fill(index === 0 ? 'x' : `*b${index - 1}`)
        .join(', ')}]`,
  );
  const harmful: [string, string, RegExp][] = [
    ['aliases of aliases', lines.join('\n'), /^a\.yaml:\d+: has more than 250000 values, counting those of each alias/],
    [
      'merges of merges',
      lines.join('\n').replaceAll('[', '{ <<: [').replaceAll(']', '] }').replaceAll('x, x', '{ a: 1 }, { a: 1 }'),
      /^a\.yaml:\d+: /,
    ],
    ['lists in lists', `x-a: ${'['.repeat(200_000)}`, /^a\.yaml:1: is nested too deeply$/],
    ['mappings in mappings', `x-a: ${'{a: '.repeat(100_000)}`, /^a\.yaml:1: is nested too deeply$/],
    ['lists in lists by dashes', `x-a:\n  ${'- '.repeat(100_000)}x`, /^a\.yaml:2: is nested too deeply$/],
    ['keys in keys', `x-a:\n  ${'? '.repeat(100_000)}x`, /^a\.yaml:2: is nested too deeply$/],
    [
      'mappings by indentation',
      Array.from({ length: 1500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      /^a\.yaml:\d+: is nested too deeply$/,
    ],
    ['depth that only JSON minds', `x-a: ${'['.repeat(120)}${']'.repeat(120)}`, /^a\.yaml:1: is nested deeper than 100 levels$/],
    ['a file without end', `x-a: "${'x'.repeat(4 * 2 ** 20)}"`, /^a\.yaml is larger than 4194304 bytes$/],
  ];
  for (const [what, text, expected] of harmful) {
    test(`${what} is refused, in a moment`, async () => {
      const { faults } = await read({ 'a.yaml': text });
      expect(faults[0]).toMatch(expected);
    });
  }

  test('many keys, or many aliases, take no time that grows faster than they do', async () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `  k${index}: ${index}`).join('\n');
    const aliases = Array.from({ length: 10_000 }, () => '  - *a').join('\n');
    const { faults } = await read({ 'a.yaml': `x-k:\n${keys}\nx-a: &a 1\nx-l:\n${aliases}\n` });
    expect(faults).toEqual([]);
  });
});

describe('a place of the document is told as one of a file', () => {
  const files = {
    'a.yaml': 'sinks:\n  - { app_id: a, path: /a, method: POST }\n',
    'b.yaml': `x-base: &base
  method: POST
  inputs:
    hub.challenge: x
    hub: { mode: y }
sinks:
  - <<: *base
    path: /b
    response:
      headers: { "200": ok }
  -
    app_id: a
workflows:
  - app_id: a
    definition:
      steps: [{ name: s,
                type: t }]
settings:
  port: 1
`,
  };
  test.each([
    ['sinks[0].path', 'a.yaml:2: sinks[0].path: m'],
    ['sinks[1].path', 'b.yaml:8: sinks[0].path: m'],
    ['sinks[1].inputs.hub.challenge', 'b.yaml:4: sinks[0].inputs.hub.challenge: m'],
    ['sinks[1].inputs.hub.mode', 'b.yaml:5: sinks[0].inputs.hub.mode: m'],
    ['sinks[1].method', 'b.yaml:2: sinks[0].method: m'],
    ['sinks[1].response.headers[200]', 'b.yaml:10: sinks[0].response.headers[200]: m'],
    ['sinks[1].response.status', 'b.yaml:9: sinks[0].response.status: m'],
    ['sinks[2]', 'b.yaml:12: sinks[1]: m'],
    ['workflows[0].definition.steps[0].type', 'b.yaml:17: workflows[0].definition.steps[0].type: m'],
    ['workflows[0].definition.outputs[3].x', 'b.yaml:15: workflows[0].definition.outputs[3].x: m'],
    ['settings.port', 'b.yaml:19: settings.port: m'],
  ])('%s is %s', async (path, told) => {
    expect((await read(files)).locate(path)).toBe(told);
  });

  test('an unknown field is one of its own line, and what stands twice names both files', async () => {
    const { locate } = await read(files);
    expect(locate('sinks[1]', 'unknown field "response"; known are a')).toBe('b.yaml:9: sinks[0]: unknown field "response"; known are a');
    expect(locate('sinks[1]', '"x" is already defined at sinks[0]')).toBe(
      'b.yaml:7: sinks[0]: "x" is already defined at sinks[0] of a.yaml',
    );
  });
});

test('the command line tells the same faults, and dies of none', { timeout: 60_000 }, async () => {
  const file = join(tempDir(), 'deep.yaml');
  writeFileSync(file, `sinks: ${'['.repeat(200_000)}`);
  for (const args of [
    ['validate', file],
    ['workflow', 'validate', file],
    ['sink', 'create', '--file', file],
    ['serve', '--config', file],
  ])
    expect(await sluice(args), args.join(' ')).toEqual({ code: 1, stdout: '', stderr: `sluice: ${file}:1: is nested too deeply\n` });
});
