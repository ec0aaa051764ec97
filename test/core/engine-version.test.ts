// The version of a definition: which ones Roboflow's engine 1.15.0 takes, which it has not, and which are none.

import { describe, expect, test } from 'vitest';
import { engineVersionFault } from '../../src/core/workflow/engine-version.ts';

describe('is run', () => {
  for (const version of [
    '1',
    '1.0',
    '1.0.0',
    '1.15',
    '1.15.0',
    '1.15.0.0',
    'v1.2',
    ' 1.3 ',
    '1.0rc1',
    '1.15.0rc2',
    '1.2.post3',
    '1.4.dev1',
    '01.1',
    '0!1.0',
  ])
    test(JSON.stringify(version), () => {
      expect(engineVersionFault(version)).toBeNull();
    });
});

describe('is told as one that there is no engine for', () => {
  for (const [version, asked] of [
    ['0.9', '>=0.9,<1.0.0'],
    ['1.15.1', '>=1.15.1,<2.0.0'],
    ['1.16', '>=1.16,<2.0.0'],
    ['1.15.0.post1', '>=1.15.0.post1,<2.0.0'],
    ['2.0', '>=2.0,<3.0.0'],
    ['1!1.0', '>=1!1.0,<2.0.0'],
    ['1.0+local', '>=1.0+local,<2.0.0'],
    ['9'.repeat(60), `>=${'9'.repeat(60)},<`],
  ] as const)
    test(version, () => {
      expect(engineVersionFault(version)).toContain(`Workflow definition requested Execution Engine in version: \`${asked}`);
    });
});

describe('is told as no version', () => {
  for (const version of ['', 'one', '1.', '.1', '1..0', '1.0 1', '1.0-', '-1', '1,0', '1.0\n2', '\u0661.0', '__proto__', 'latest'])
    test(JSON.stringify(version), () => {
      expect(engineVersionFault(version)).toContain(
        `Workflow definition contains \`version\` defined as \`${version}\` which cannot be parsed as valid version definition. Error details: Invalid version: '${version}'`,
      );
    });

  test('a million characters, at once and without all of them in the message', () => {
    for (const version of ['1'.repeat(1e6), '1.'.repeat(5e5), `1.0${'a'.repeat(1e6)}`, '-_.'.repeat(3e5)])
      expect(engineVersionFault(version)?.length).toBeLessThan(400);
  });
});
