// The table of a sink's limits, from their defaults.

import { DEFAULT_LIMITS, type SinkLimits } from '../../src/core/sink/limits/size-limits.ts';
import { code, markdownTable } from './markdown-table.ts';

const MEANING: Record<keyof SinkLimits, string> = {
  bodyBytes: 'a body that is no multipart form',
  formBytes: 'a whole multipart form',
  fileBytes: 'one file of a form',
  fieldBytes: 'one field of a form',
  files: 'number of files in a form',
  fields: 'number of fields in a form',
};

export function sinkLimitsTable(): string {
  const names = Object.keys(MEANING) as (keyof SinkLimits)[];
  const rows = names.map((name) => [code(snakeCase(name)), amount(name), MEANING[name]]);
  return markdownTable(['Limit', 'Default', 'Of'], rows);
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function amount(name: keyof SinkLimits): string {
  const limit = DEFAULT_LIMITS[name];
  return name.endsWith('Bytes') ? `${code(String(limit))} (${limit / 2 ** 20} MiB)` : code(String(limit));
}
