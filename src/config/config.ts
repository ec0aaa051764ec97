// The table of settings. Each has one name as flag (`--data-dir`), environment variable (`SLUICE_DATA_DIR`) and key under
// `settings` in the definition files (`data_dir`), in order of precedence. The only reader of process.env.

import { readFileSync } from 'node:fs';
import type { AddressRange } from '../address-range.ts';
import { suggestNames } from '../core/values/similar-names.ts';
import {
  integer,
  nonEmpty,
  oneOf,
  parseAdminToken,
  parseBaseUrl,
  parseBytes,
  parseHost,
  parseOutboundAllow,
  parseRetention,
  parseSecretKey,
  parseSecretsAllow,
  parseTrustProxy,
  type Retention,
} from './config-values.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** Definition file or folder. */
  configPath: string;
  /** True when a flag or a variable sets the path, which must then exist. */
  isConfigNamed: boolean;
  /** Public address of the server, without a trailing slash; null for host and port. */
  baseUrl: string | null;
  /** Null: generated at first start, in the data directory. */
  adminToken: string | null;
  logLevel: LogLevel;
  trustProxy: boolean | string[];
  /** Requests per second to one sink from one address; 0 turns the limit off. */
  rateLimit: number;
  retention: Retention;
  /** Bytes of free disk space below which new runs are refused. */
  minFreeDisk: number;
  drainSeconds: number;
  /** Non-public addresses that deliveries may be sent to. */
  outboundAllow: readonly AddressRange[];
  /** Names of environment variables that workflows may use as secrets; a trailing `*` matches any suffix. */
  secretsAllow: readonly string[];
  /** Null: generated at first start, in the data directory. */
  secretKey: string | null;
  /** Folder that steps may write files to; null for one in the data directory. */
  filesDir: string | null;
}

export interface Setting<Value = unknown> {
  /** The YAML key (`data_dir`), from which flag and variable are derived. */
  key: string;
  field: Exclude<keyof Config, 'isConfigNamed'>;
  fallback: string;
  about: string;
  /** Throws an Error that names the correct form. */
  parse: (text: string) => Value;
  /** May also be read from the file named by `SLUICE_<KEY>_FILE`; the value is never printed. */
  isSecret?: true;
  /** Another variable, read after Sluice's own. */
  alsoFrom?: string;
}

export const settings: readonly Setting[] = [
  { key: 'host', field: 'host', fallback: '127.0.0.1', about: 'address to listen on', parse: parseHost, alsoFrom: 'HOST' },
  {
    key: 'port',
    field: 'port',
    fallback: '9657',
    about: 'port to listen on; 0 selects a free port',
    parse: integer(0, 65_535),
    alsoFrom: 'PORT',
  },
  { key: 'data_dir', field: 'dataDir', fallback: 'data', about: 'folder for the database, files and admin token', parse: nonEmpty },
  { key: 'config', field: 'configPath', fallback: 'config', about: 'definition file, or a folder of definition files', parse: nonEmpty },
  {
    key: 'base_url',
    field: 'baseUrl',
    fallback: '',
    about: 'public URL of the server, such as https://hooks.example.org',
    parse: parseBaseUrl,
  },
  {
    key: 'admin_token',
    field: 'adminToken',
    fallback: '',
    about: 'token of the admin API; generated at the first start if not set',
    parse: parseAdminToken,
    isSecret: true,
  },
  { key: 'log_level', field: 'logLevel', fallback: 'info', about: `one of ${LOG_LEVELS.join(', ')}`, parse: oneOf(LOG_LEVELS) },
  {
    key: 'trust_proxy',
    field: 'trustProxy',
    fallback: 'false',
    about: 'addresses or CIDRs of the proxies whose X-Forwarded-For is trusted, comma-separated',
    parse: parseTrustProxy,
  },
  {
    key: 'rate_limit',
    field: 'rateLimit',
    fallback: '0',
    about: 'requests per second to one sink from one address; 0 for no limit',
    parse: integer(0, 1_000_000),
  },
  {
    key: 'retention',
    field: 'retention',
    fallback: '30d,10GB',
    about: 'age and total size above which ended runs are removed, such as 30d,10GB; "off" keeps all runs',
    parse: parseRetention,
  },
  {
    key: 'min_free_disk',
    field: 'minFreeDisk',
    fallback: '128MB',
    about: 'free disk space below which new runs are refused',
    parse: parseBytes,
  },
  {
    key: 'drain_seconds',
    field: 'drainSeconds',
    fallback: '10',
    about: 'seconds that active runs have to finish when the server stops',
    parse: integer(0, 600),
  },
  {
    key: 'outbound_allow',
    field: 'outboundAllow',
    fallback: '',
    about: 'non-public addresses or CIDRs that deliveries may be sent to, comma-separated',
    parse: parseOutboundAllow,
  },
  {
    key: 'secrets_allow',
    field: 'secretsAllow',
    fallback: '',
    about: 'environment variables that workflows may use as secrets, comma-separated; NAME_* allows every name with that prefix',
    parse: parseSecretsAllow,
  },
  {
    key: 'secret_key',
    field: 'secretKey',
    fallback: '',
    about: 'key that seals the secrets of sinks and protects those in stored runs; generated at the first start if not set',
    parse: parseSecretKey,
    isSecret: true,
  },
  {
    key: 'files_dir',
    field: 'filesDir',
    fallback: '',
    about: 'folder that steps may write files to; by default "files" in the data folder',
    parse: (text) => (text === '' ? null : text),
  },
];

export type Environment = Readonly<Record<string, string | undefined>>;
export type SettingValues = Readonly<Record<string, unknown>>;

export function readEnvironment(): Environment {
  return process.env;
}

export const variableOf = ({ key }: Setting): string => `SLUICE_${key.toUpperCase()}`;
export const flagOf = ({ key }: Setting): string => `--${key.replaceAll('_', '-')}`;

export interface ConfigSources {
  /** By setting key. */
  flags: SettingValues;
  environment: Environment;
  /** The `settings` mapping of the definition files. */
  file: SettingValues;
}

/** Throws one Error that lists every unknown or malformed setting with its source. */
export function loadConfig(sources: ConfigSources): Config {
  const problems = findUnknown(sources);
  const values: Partial<Record<keyof Config, unknown>> = {};
  for (const setting of settings) {
    try {
      values[setting.field] = readSetting(setting, sources);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  values.isConfigNamed = sources.flags['config'] !== undefined || sources.environment['SLUICE_CONFIG'] !== undefined;
  return Object.freeze(values) as unknown as Config;
}

function readSetting(setting: Setting, sources: ConfigSources): unknown {
  const { text, from } = findSetting(setting, sources);
  try {
    return setting.parse(text);
  } catch (error) {
    const shown = setting.isSecret === true ? '' : ` (it is "${text}")`;
    throw new Error(`${from}: ${(error as Error).message}${shown}`);
  }
}

/** A setting's text and its source. */
export interface FoundSetting {
  text: string;
  origin: 'flag' | 'environment' | 'file' | 'default';
  /** The name of the flag, variable or key; for a default, the variable that would set it. */
  from: string;
}

/** Finds the first source of the setting, without parsing it. Throws when a secret's file cannot be read. */
export function findSetting(setting: Setting, { flags, environment, file }: ConfigSources): FoundSetting {
  const { key, fallback, isSecret, alsoFrom } = setting;
  const variable = variableOf(setting);
  if (flags[key] !== undefined) return { text: String(flags[key]), origin: 'flag', from: flagOf(setting) };
  if (environment[variable] !== undefined) return { text: environment[variable], origin: 'environment', from: variable };
  const secretFile = isSecret === true ? environment[`${variable}_FILE`] : undefined;
  if (secretFile !== undefined)
    return { text: readSecret(`${variable}_FILE`, secretFile), origin: 'environment', from: `${variable}_FILE` };
  if (alsoFrom !== undefined && environment[alsoFrom] !== undefined)
    return { text: environment[alsoFrom], origin: 'environment', from: alsoFrom };
  if (file[key] !== undefined) return { text: scalarText(key, file[key]), origin: 'file', from: `settings.${key}` };
  return { text: fallback, origin: 'default', from: variable };
}

function scalarText(key: string, value: unknown): string {
  const isCollection = value === null || Array.isArray(value) || String(value) === '[object Object]';
  if (isCollection) throw new Error(`settings.${key}: must be text, a number or a boolean`);
  return String(value);
}

function readSecret(variable: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`${variable}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
  if (text === '') throw new Error(`${variable}: ${path} is empty`);
  return text;
}

function findUnknown({ environment, file }: ConfigSources): string[] {
  const variables = new Set(
    settings.flatMap((setting) => [variableOf(setting), ...(setting.isSecret === true ? [`${variableOf(setting)}_FILE`] : [])]),
  );
  // A definition file cannot set its own path.
  const keys = new Set(settings.map(({ key }) => key).filter((key) => key !== 'config'));
  // Variables of other verbs of the command line, which the server does not use.
  const ofClient = new Set(['SLUICE_URL', 'SLUICE_TOKEN', 'SLUICE_WEBHOOK_SECRET']);
  return [
    ...Object.keys(environment)
      .filter((name) => name.startsWith('SLUICE_') && !variables.has(name) && !ofClient.has(name))
      .map((name) => `${name}: no such setting${suggestNames(name, [...variables])}`),
    ...Object.keys(file)
      .filter((key) => !keys.has(key))
      .map((key) => `settings.${key}: no such setting${suggestNames(key, [...keys])}`),
  ];
}
