// Finds the local server's address and admin token from its settings.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigSources, type Environment, findSetting, type SettingValues, settings } from '../config/config.ts';

export interface LocalServer {
  url: string;
  /** Undefined when it cannot be read. */
  adminToken(): Promise<string | undefined>;
}

export async function findLocalServer(environment: Environment): Promise<LocalServer> {
  const sources = { flags: {}, environment, file: await readFileSettings(environment) };
  const host = textOf('host', sources);
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return {
    url: `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${textOf('port', sources)}`,
    async adminToken() {
      const given = textOf('admin_token', sources);
      if (given !== '') return given;
      const made = await readFile(join(textOf('data_dir', sources), 'admin-token'), 'utf8').catch(() => '');
      return made.trim() === '' ? undefined : made.trim();
    },
  };
}

/** Empty when the files cannot be read: they may need variables that only the server has. */
async function readFileSettings(environment: Environment): Promise<SettingValues> {
  const path = textOf('config', { flags: {}, environment, file: {} });
  if (!existsSync(path)) return {};
  const { readDefinitionFiles } = await import('../definitions/files/definition-files.ts');
  return (await readDefinitionFiles(path, environment)).settings;
}

function textOf(key: string, sources: ConfigSources): string {
  const setting = settings.find((candidate) => candidate.key === key);
  if (setting === undefined) throw new Error(`there is no setting "${key}"`);
  return findSetting(setting, sources).text;
}
