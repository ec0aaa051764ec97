// Adds every setting as a flag to a verb.

import { type Command, Option } from 'commander';
import { flagOf, type SettingValues, settings, variableOf } from '../config/config.ts';

export function addSettingFlags(command: Command): Command {
  for (const setting of settings) command.addOption(new Option(`${flagOf(setting)} <value>`, `${setting.about} (${variableOf(setting)})`));
  return command;
}

/** Converts Commander's `dataDir` to the setting key `data_dir`. */
export function settingsOf(flags: Record<string, unknown>): SettingValues {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
