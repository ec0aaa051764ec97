// Where settings come from, and which server with which token a verb talks to.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { silentAddress } from '../support/silent-address.ts';
import { ADMIN_TOKEN, startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();

/** A configuration that does not depend on the folder in which the tests run. */
function environment(values: Record<string, string> = {}): Record<string, string> {
  const none = join(tempDir(), 'none.yaml');
  writeFileSync(none, '');
  return { SLUICE_CONFIG: none, ...values };
}

describe('config print', () => {
  test('shows every setting, its value, and whether flag, variable, file or default gave it', async () => {
    const file = join(tempDir(), 'sluice.yaml');
    writeFileSync(file, 'settings: { port: 1000, log_level: debug, rate_limit: 5 }\n');
    const given = { SLUICE_CONFIG: file, SLUICE_LOG_LEVEL: 'warn', HOST: '0.0.0.0', SLUICE_ADMIN_TOKEN: 'a-very-secret-token' };
    const { code, stdout, stderr } = await sluice(['config', 'print', '--port', '2000'], { environment: given });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const pad = (text: string): string => text.padEnd(Math.max(file.length, '(secret)'.length));
    expect(stdout).toBe(
      [
        `SETTING         ${pad('VALUE')}  FROM`,
        `host            ${pad('0.0.0.0')}  HOST`,
        `port            ${pad('2000')}  --port`,
        `data_dir        ${pad('data')}  default`,
        `config          ${pad(file)}  SLUICE_CONFIG`,
        `base_url        ${pad('-')}  default`,
        `admin_token     ${pad('(secret)')}  SLUICE_ADMIN_TOKEN`,
        `log_level       ${pad('warn')}  SLUICE_LOG_LEVEL`,
        `trust_proxy     ${pad('false')}  default`,
        `rate_limit      ${pad('5')}  settings.rate_limit in ${file}`,
        `retention       ${pad('30d,10GB')}  default`,
        `min_free_disk   ${pad('128MB')}  default`,
        `drain_seconds   ${pad('10')}  default`,
        `outbound_allow  ${pad('-')}  default`,
        `secrets_allow   ${pad('-')}  default`,
        `secret_key      ${pad('-')}  default`,
        `files_dir       ${pad('-')}  default`,
        '',
      ].join('\n'),
    );
    const printed = JSON.parse((await sluice(['config', 'print', '-o', 'json'], { environment: given })).stdout).settings;
    expect(printed).toContainEqual({ key: 'port', value: '1000', origin: 'file', from: 'settings.port' });
    expect(printed).toContainEqual({ key: 'admin_token', value: '(secret)', origin: 'environment', from: 'SLUICE_ADMIN_TOKEN' });
    expect(printed).toContainEqual({ key: 'base_url', value: null, origin: 'default', from: 'SLUICE_BASE_URL' });
  });

  test('never prints a secret, though it comes from a file or is no good', async () => {
    const file = join(tempDir(), 'token');
    writeFileSync(file, 'hunter2\n');
    for (const given of [{ SLUICE_ADMIN_TOKEN: 'hunter2' }, { SLUICE_ADMIN_TOKEN_FILE: file }]) {
      const { code, stdout, stderr } = await sluice(['config', 'print'], { environment: environment(given) });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `sluice: ${Object.keys(given)[0]}: must be 16 to 1024 visible ASCII characters without spaces\n`,
      });
      expect(stdout).toContain('(secret)');
      expect(stdout).not.toContain('hunter2');
    }
  });

  test('refuses what the server would refuse, by name', async () => {
    const { code, stdout, stderr } = await sluice(['config', 'print', '--port', '99999'], {
      environment: environment({ SLUICE_PROT: '1' }),
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^port +99999 +--port$/m);
    expect(stderr).toMatch(
      /^sluice: SLUICE_PROT: no such setting; did you mean "SLUICE_PORT"\? Known are .*\nsluice: --port: must be a whole number from 0 to 65535 \(it is "99999"\)\n$/,
    );
  });
});

describe('a verb talks to', () => {
  test('the server that --url, else SLUICE_URL, else the settings of this machine name', async () => {
    const { port } = new URL(app().url);
    const token = ['--token', ADMIN_TOKEN];
    const dead = await silentAddress();
    const list = (args: string[], given: Record<string, string>) => sluice(['sink', 'list', ...args], { environment: environment(given) });
    const found = { code: 0, stdout: '', stderr: 'no sinks\n' };
    expect(await list(['--url', app().url, ...token], { SLUICE_URL: dead })).toEqual(found);
    expect(await list(token, { SLUICE_URL: `${app().url}/` })).toEqual(found);
    expect(await list(token, { SLUICE_PORT: port })).toEqual(found);
    expect(await list(token, { PORT: port, SLUICE_HOST: '0.0.0.0' })).toEqual(found);
    const file = join(tempDir(), 'sluice.yaml');
    writeFileSync(file, `settings: { port: ${port} }\n`);
    expect(await list(token, { SLUICE_CONFIG: file })).toEqual(found);
    expect(await list(token, { SLUICE_URL: dead })).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: cannot reach ${dead}: connection refused; is the server running?\n`,
    });
  });

  test('an address of this machine with the token that its data directory holds', async () => {
    const dataDir = tempDir();
    const made = await startTestApp({ dataDir, settings: { admin_token: '' } });
    const list = (given: Record<string, string>) => sluice(['sink', 'list', '--url', made.url], { environment: environment(given) });
    expect(await list({ SLUICE_DATA_DIR: dataDir })).toMatchObject({ code: 0 });
    expect(await list({ SLUICE_DATA_DIR: dataDir, SLUICE_TOKEN: 'another' })).toMatchObject({ code: 1 });
    expect(await list({ SLUICE_DATA_DIR: tempDir() })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sluice: a token is required: send "Authorization: Bearer <token>"; give it with --token (unauthorized)\n',
    });
    expect(await list({ SLUICE_ADMIN_TOKEN: made.adminToken.token })).toMatchObject({ code: 0 });
  });
});

describe('healthcheck', () => {
  test('ends with 0 when the server lives, or is ready, and needs no token', async () => {
    const { port } = new URL(app().url);
    expect(await sluice(['healthcheck'], { environment: environment({ SLUICE_PORT: port }) })).toEqual({
      code: 0,
      stdout: 'ok\n',
      stderr: '',
    });
    expect(await sluice(['healthcheck', '--ready', '--url', app().url])).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  });

  test('ends with 1 and says why when the server is not ready, or not there', async () => {
    const full = await startTestApp({ settings: { min_free_disk: '900TB' } });
    expect(await sluice(['healthcheck', '--url', full.url])).toMatchObject({ code: 0 });
    expect(await sluice(['healthcheck', '--ready', '--url', full.url])).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: ${full.url} is not ready: disk\n`,
    });
    await full.close();
    expect(await sluice(['healthcheck', '--url', full.url])).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: cannot reach ${full.url}: connection refused; is the server running?\n`,
    });
  });
});
