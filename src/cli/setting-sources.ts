// Reads the sources of settings of a local server: flags, environment and definition files.

import { type Config, type ConfigSources, type Environment, loadConfig, type SettingValues } from '../config/config.ts';
import { type DefinitionFiles, readDefinitionFiles } from '../definitions/files/definition-files.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printable } from './output/printable.ts';

export interface SettingSources extends ConfigSources {
  /** The definition file or folder. */
  path: string;
  files: DefinitionFiles;
}

/** A default path may have no files; `loadConfigFrom` reports all other faults of files. */
export async function readSettingSources(flags: SettingValues, environment: Environment): Promise<SettingSources> {
  const named = flags['config'] ?? environment['SLUICE_CONFIG'];
  const path = String(named ?? 'config');
  const files = await readDefinitionFiles(path, environment);
  const isMissing = named === undefined && files.files.length === 0;
  return { flags, environment, file: files.settings, path, files: isMissing ? { ...files, faults: [] } : files };
}

/** Throws every fault of the files, or else every invalid setting, with its line if it is from a file. */
export function loadConfigFrom(sources: ConfigSources, { faults, locate }: Pick<DefinitionFiles, 'faults' | 'locate'>): Config {
  if (faults.length > 0) throw new ExitError(faults.map(printable).join('\n'), FAILED);
  try {
    return loadConfig(sources);
  } catch (error) {
    const lines = (error as Error).message.split('\n').map((line) => {
      const [, path, message = ''] = /^(settings\.[^:]+): (.*)$/.exec(line) ?? [];
      return path === undefined ? line : locate({ path, message });
    });
    throw new ExitError(lines.map(printable).join('\n'), FAILED);
  }
}
