// Settings: the first source that gives one counts, and every one that is wrong or unknown is named at the start.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, type ConfigSources, flagOf, loadConfig, settings, variableOf } from '../../src/config/config.ts';
import { tempDir } from '../support/temp-dir.ts';

const load = (sources: Partial<ConfigSources>): Config => loadConfig({ flags: {}, environment: {}, file: {}, ...sources });

/** The lines in which the settings are refused. */
function problems(sources: Partial<ConfigSources>): string[] {
  try {
    load(sources);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  throw new Error(`these settings were taken: ${JSON.stringify(sources)}`);
}

function secretFile(content: string): string {
  const path = join(tempDir(), 'secret');
  writeFileSync(path, content);
  return path;
}

test('without any setting the server listens on this machine alone, on the documented port', () => {
  expect(load({})).toEqual({
    host: '127.0.0.1',
    port: 9657,
    dataDir: 'data',
    configPath: 'config',
    isConfigNamed: false,
    baseUrl: null,
    adminToken: null,
    logLevel: 'info',
    trustProxy: false,
    rateLimit: 0,
    retention: { maxAgeMs: 30 * 86_400_000, maxBytes: 10 * 2 ** 30 },
    minFreeDisk: 128 * 2 ** 20,
    drainSeconds: 10,
    outboundAllow: [],
    secretsAllow: [],
    secretKey: null,
    filesDir: null,
  });
});

describe('where a setting comes from', () => {
  const flags = { port: '1001' };
  const environment = { SLUICE_PORT: '1002' };
  const common = { PORT: '1003' };
  const file = { port: 1004 };

  test.each<[number, Partial<ConfigSources>]>([
    [1001, { flags, environment: { ...environment, ...common }, file }],
    [1002, { environment: { ...environment, ...common }, file }],
    [1003, { environment: common, file }],
    [1004, { file }],
  ])('a flag comes before our variable, that before the common one, that before the file: %i', (port, sources) => {
    expect(load(sources).port).toBe(port);
  });

  test('every setting has a flag, a variable and a key of one name', () => {
    const values: Record<string, [string, unknown]> = {
      host: ['::1', '::1'],
      port: ['8080', 8080],
      data_dir: ['/srv/data', '/srv/data'],
      config: ['/etc/sluice.yaml', '/etc/sluice.yaml'],
      base_url: ['https://hooks.example.org/x/', 'https://hooks.example.org/x'],
      admin_token: ['a-token-of-16-ch', 'a-token-of-16-ch'],
      log_level: ['warn', 'warn'],
      trust_proxy: ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1/128']],
      rate_limit: ['5', 5],
      retention: ['12h,5GB', { maxAgeMs: 12 * 3_600_000, maxBytes: 5 * 2 ** 30 }],
      min_free_disk: ['1TB', 2 ** 40],
      drain_seconds: ['30', 30],
      outbound_allow: [
        '10.0.0.0/8, ::1',
        [
          { address: '10.0.0.0', prefix: 8 },
          { address: '::1', prefix: 128 },
        ],
      ],
      secrets_allow: ['CRM_TOKEN,SLACK_*', ['CRM_TOKEN', 'SLACK_*']],
      secret_key: ['0123456789abcdef0123456789abcdef', '0123456789abcdef0123456789abcdef'],
      files_dir: ['/srv/files', '/srv/files'],
    };
    expect(settings.map(({ key }) => key).sort()).toEqual(Object.keys(values).sort());
    for (const setting of settings) {
      const [text, value] = values[setting.key] as [string, unknown];
      expect(flagOf(setting)).toBe(`--${setting.key.replaceAll('_', '-')}`);
      expect(load({ flags: { [setting.key]: text } })[setting.field]).toEqual(value);
      expect(load({ environment: { [variableOf(setting)]: text } })[setting.field]).toEqual(value);
      // Which file to read cannot stand in that file.
      if (setting.key !== 'config') expect(load({ file: { [setting.key]: text } })[setting.field]).toEqual(value);
    }
  });

  test('what is read is frozen', () => {
    expect(Object.isFrozen(load({}))).toBe(true);
  });
});

describe('a value that is wrong', () => {
  test.each<[string, string, RegExp]>([
    ['host', '', /must be a host name or an IP address/],
    ['host', 'http://127.0.0.1', /must be a host name or an IP address/],
    ['port', '65536', /must be a whole number from 0 to 65535/],
    ['port', '-1', /must be a whole number/],
    ['port', '80.5', /must be a whole number/],
    ['port', '0x50', /must be a whole number/],
    ['port', ' 80', /must be a whole number/],
    ['port', '', /must be a whole number/],
    ['data_dir', '', /must not be empty/],
    ['config', '', /must not be empty/],
    ['base_url', 'hooks.example.org', /must be an http or https URL/],
    ['base_url', 'ftp://hooks.example.org', /must be an http or https URL/],
    ['base_url', 'https://hooks.example.org/?a=1', /without a query/],
    ['base_url', 'https://hooks.example.org/#a', /without a query/],
    ['base_url', 'https://user@hooks.example.org', /must be an http or https URL/],
    ['base_url', 'https://:password@hooks.example.org', /must be an http or https URL/],
    ['log_level', 'verbose', /must be one of trace, debug, info, warn, error, fatal, silent/],
    ['log_level', 'INFO', /must be one of/],
    ['trust_proxy', 'yes', /"yes" is neither/],
    ['trust_proxy', '10.0.0.0/33', /"10.0.0.0\/33" is neither/],
    ['trust_proxy', '10.0.0.0/8/8', /"10.0.0.0\/8\/8" is neither/],
    ['trust_proxy', '10.0.0.0/', /"10.0.0.0\/" is neither/],
    ['trust_proxy', '127.0.0.1,', /"" is neither/],
    ['trust_proxy', 'true,127.0.0.1', /"true" is neither/],
    ['trust_proxy', 'fe80::1%eth0', /"fe80::1%eth0" has a zone; write "fe80::1"/],
    ['trust_proxy', '0.0.0.0/0', /must be "true" to trust every address/],
    ['rate_limit', '1.5', /must be a whole number from 0 to 1000000/],
    ['rate_limit', '1000001', /must be a whole number/],
    ['retention', '', /must be an age, a size or both/],
    ['retention', '30', /must be an age, a size or both/],
    ['retention', '0d', /must be an age, a size or both/],
    ['retention', '30d,', /must be an age, a size or both/],
    ['retention', '30d,40d', /must be an age, a size or both/],
    ['retention', '1GB,2GB', /must be an age, a size or both/],
    ['retention', '30d 10GB', /must be an age, a size or both/],
    ['min_free_disk', '-1MB', /must be a size, such as 128MB/],
    ['min_free_disk', '128 MB', /must be a size, such as 128MB/],
    ['min_free_disk', '10%', /must be a size, such as 128MB/],
    ['drain_seconds', '601', /must be a whole number from 0 to 600/],
    ['outbound_allow', 'internal', /"internal" is neither/],
    ['outbound_allow', '10.0.0.0/8,', /"" is neither/],
    ['outbound_allow', '10.0.0.0/33', /"10.0.0.0\/33" is neither/],
    ['outbound_allow', 'fe80::1%eth0', /"fe80::1%eth0" has a zone; write "fe80::1"/],
    ['outbound_allow', '10.0.0.0/8,fe80::%eth0/10', /"fe80::%eth0\/10" has a zone; write "fe80::\/10"/],
    ['secrets_allow', '*', /"\*" is not one/],
    ['secrets_allow', 'A-B', /"A-B" is not one/],
    ['secrets_allow', 'A,,B', /"" is not one/],
  ])('%s=%j is refused by the name under which it came, and shown', (key, text, message) => {
    const setting = settings.find((candidate) => candidate.key === key);
    if (setting === undefined) throw new Error(`there is no setting ${key}`);
    const shown = `(it is "${text}")`;
    const refusals = [
      [flagOf(setting), problems({ flags: { [key]: text } })],
      [variableOf(setting), problems({ environment: { [variableOf(setting)]: text } })],
      ...(key === 'config' ? [] : [[`settings.${key}`, problems({ file: { [key]: text } })] as const]),
    ] as const;
    for (const [name, lines] of refusals) {
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(message);
      expect(lines[0]?.startsWith(`${name}: `)).toBe(true);
      expect(lines[0]?.endsWith(shown)).toBe(true);
    }
  });

  test.each([[null], [['a']], [{ a: 1 }]])('%j in the file is no value of a setting', (value) => {
    expect(problems({ file: { host: value } })).toEqual(['settings.host: must be text, a number or a boolean']);
  });

  test('a wrong value of a common variable is refused under its name', () => {
    expect(problems({ environment: { PORT: 'http' } })).toEqual(['PORT: must be a whole number from 0 to 65535 (it is "http")']);
  });

  test('all that is wrong is named at once', () => {
    const lines = problems({
      flags: { port: 'x' },
      environment: { SLUICE_LOG_LEVEL: 'x', SLUICE_PROT: '1', HOST: '!' },
      file: { rate_limit: 'x', retension: '1d' },
    });
    expect(lines.map((line) => line.split(':')[0]).sort()).toEqual(
      ['--port', 'HOST', 'SLUICE_LOG_LEVEL', 'SLUICE_PROT', 'settings.rate_limit', 'settings.retension'].sort(),
    );
  });
});

describe('a setting that there is not', () => {
  test('is refused by name, with those that there are', () => {
    const [line] = problems({ environment: { SLUICE_DATA_DIRECTORY: 'x' } });
    expect(line).toMatch(/^SLUICE_DATA_DIRECTORY: no such setting; known are SLUICE_HOST, SLUICE_PORT, .*SLUICE_ADMIN_TOKEN_FILE/);
    expect(problems({ file: { dataDir: 'x' } })[0]).toMatch(
      /^settings\.dataDir: no such setting; did you mean "data_dir"\? Known are host, port, /,
    );
  });

  test('a path of the definition files has no place in them', () => {
    expect(problems({ file: { config: 'other' } })[0]).toMatch(/^settings\.config: no such setting/);
  });

  test('variables of others are none of our business, nor those by which the command line finds its server', () => {
    load({ environment: { PATH: '/bin', sluice_port: 'x', SLUICE_URL: 'http://127.0.0.1', SLUICE_TOKEN: 'x' } });
  });

  test('only a secret can come from a file of its own', () => {
    expect(problems({ environment: { SLUICE_PORT_FILE: '/run/port' } })[0]).toMatch(/^SLUICE_PORT_FILE: no such setting/);
  });
});

describe('a secret', () => {
  const token = 'a-secret-token-of-32-characters!';

  test('may come from the file that its variable names, without the line end', () => {
    expect(load({ environment: { SLUICE_ADMIN_TOKEN_FILE: secretFile(`${token}\n`) } }).adminToken).toBe(token);
  });

  test('comes from the variable itself before the file', () => {
    const environment = { SLUICE_ADMIN_TOKEN: token, SLUICE_ADMIN_TOKEN_FILE: secretFile('another-token-of-the-file') };
    expect(load({ environment }).adminToken).toBe(token);
  });

  test.each<[string, string]>([
    ['too short', 'short-secret'],
    ['with a space', 'a secret token of many characters'],
    ['with a line end inside', 'a-secret-token\nof-two-lines-and-more'],
    ['not ASCII', 'ein-geheimnis-aus-wörtern'],
  ])('that is %s is refused without being shown', (_what, secret) => {
    for (const environment of [{ SLUICE_ADMIN_TOKEN: secret }, { SLUICE_ADMIN_TOKEN_FILE: secretFile(secret) }]) {
      const [line, ...others] = problems({ environment });
      expect(others).toEqual([]);
      expect(line).toMatch(/^SLUICE_ADMIN_TOKEN(?:_FILE)?: must be 16 to 1024 visible ASCII characters without spaces$/);
    }
  });

  test('whose file cannot be read, or is empty, is refused by name: the server must not make one up instead', () => {
    const missing = join(tempDir(), 'missing');
    expect(problems({ environment: { SLUICE_ADMIN_TOKEN_FILE: missing } })).toEqual([
      `SLUICE_ADMIN_TOKEN_FILE: cannot read ${missing} (ENOENT)`,
    ]);
    const empty = secretFile('\n');
    expect(problems({ environment: { SLUICE_ADMIN_TOKEN_FILE: empty } })).toEqual([`SLUICE_ADMIN_TOKEN_FILE: ${empty} is empty`]);
  });
});

test('retention takes an age, a size, both in any order, or nothing', () => {
  const retention = (text: string) => load({ flags: { retention: text } }).retention;
  expect(retention('90m')).toEqual({ maxAgeMs: 90 * 60_000, maxBytes: null });
  expect(retention('500MB')).toEqual({ maxAgeMs: null, maxBytes: 500 * 2 ** 20 });
  expect(retention('1TB, 7d')).toEqual({ maxAgeMs: 7 * 86_400_000, maxBytes: 2 ** 40 });
  expect(retention('off')).toEqual({ maxAgeMs: null, maxBytes: null });
});
