// Prints values as YAML. Numbers keep their text.

import { type ScalarTag, stringify } from 'yaml';
import { ExactNumber } from '../../core/json/json.ts';
import type { Io } from '../io.ts';

/** Writes a number with its original text. */
const exactNumber: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => value instanceof ExactNumber,
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
};

/** The YAML library quotes text with control characters but does not escape them; the escapes are equivalent. */
export function printYaml({ stdout }: Io, value: unknown): void {
  const text = stringify(value, { customTags: [exactNumber], lineWidth: 0 });
  stdout.write(text.replaceAll(/[\x7f-\x9f]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`));
}
