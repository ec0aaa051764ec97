// `sluice config print`: prints every setting with its value and source.

import type { Command } from 'commander';
import { type ConfigSources, type FoundSetting, findSetting, type Setting, settings } from '../../config/config.ts';
import type { CliContext } from '../context.ts';
import { addOutputOption, type OutputOptions, printJson, printTable } from '../output/output.ts';
import { addSettingFlags, settingsOf } from '../setting-flags.ts';
import { loadConfigFrom, readSettingSources } from '../setting-sources.ts';

export function define(command: Command, { environment, io }: CliContext): void {
  const print = command.command('print').description('print every setting and its source; takes the flags of serve');
  addOutputOption(addSettingFlags(print)).action(async ({ output, ...flags }: OutputOptions & Record<string, unknown>) => {
    const sources = await readSettingSources(settingsOf(flags), environment);
    const found = settings.map((setting) => trace(setting, sources));
    const fromText = ({ origin, from }: TracedSetting): string =>
      ({ default: 'default', file: `${from} in ${sources.path}`, flag: from, environment: from })[origin];
    if (output === 'json') printJson(io, { settings: found });
    else
      printTable(
        io,
        ['SETTING', 'VALUE', 'FROM'],
        found.map((setting) => [setting.key, setting.value, fromText(setting)]),
      );
    // Below the settings found, lists those that the server would refuse at start.
    loadConfigFrom(sources, sources.files);
  });
}

interface TracedSetting extends Pick<FoundSetting, 'origin' | 'from'> {
  key: string;
  /** Null when it is not set. */
  value: string | null;
}

function trace(setting: Setting, sources: ConfigSources): TracedSetting {
  const { text, origin, from } = findSetting(setting, sources);
  const shown = setting.isSecret === true && text !== '' ? '(secret)' : text;
  return { key: setting.key, value: shown === '' ? null : shown, origin, from };
}
