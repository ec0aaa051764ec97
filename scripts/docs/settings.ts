// The table of settings, from the server's own table.

import { flagOf, type Setting, settings, variableOf } from '../../src/config/config.ts';
import { code, markdownTable } from './markdown-table.ts';

export function settingsTable(): string {
  return markdownTable(
    ['Flag', 'Variable', 'Key', 'Default', 'What it is'],
    settings.map((setting) => [
      code(flagOf(setting)),
      variablesOf(setting).map(code).join(', '),
      // A file cannot set its own location.
      setting.key === 'config' ? '' : code(setting.key),
      setting.fallback === '' ? 'not set' : code(setting.fallback),
      setting.about,
    ]),
  );
}

function variablesOf(setting: Setting): string[] {
  const variable = variableOf(setting);
  const others = [setting.isSecret === true ? `${variable}_FILE` : undefined, setting.alsoFrom];
  return [variable, ...others.filter((name) => name !== undefined)];
}
