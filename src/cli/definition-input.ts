// The definition files that a verb is given: as one document, with the way back from a place in it to a file.

import type { Environment } from '../config.ts';
import { listDefinitionFiles, readDefinitionFiles } from '../definitions/definition-files.ts';
import { ExitError, FAILED } from './exit-error.ts';

const LISTS = ['apps', 'workflows', 'sinks'] as const;

export interface DefinitionInput {
  path: string;
  document: Record<(typeof LISTS)[number], unknown[]>;
  /** The `settings` of each file that has any. */
  settings: { file: string; values: Record<string, unknown> }[];
  /** A fault of the document, told as one of the file it stems from. */
  locate(fault: { path: string; message: string }): string;
}

/** Where each item of a list of the document stands in the files. */
type Origins = Record<(typeof LISTS)[number], { file: string; index: number }[]>;

/** Fails with every file that cannot be read, and why. */
export async function readDefinitionInput(argument: string | undefined, environment: Environment): Promise<DefinitionInput> {
  const path = argument ?? environment['SLUICE_CONFIG'] ?? 'config';
  const document: DefinitionInput['document'] = { apps: [], workflows: [], sinks: [] };
  const origins: Origins = { apps: [], workflows: [], sinks: [] };
  const settings: DefinitionInput['settings'] = [];
  const faults: string[] = [];
  for (const file of await listFiles(path)) {
    const { settings: values, ...content } = await readFile(file, environment, faults);
    for (const list of LISTS) {
      const items = content[list] ?? [];
      if (!Array.isArray(items)) faults.push(`${file}: ${list}: must be a list`);
      else for (const [index, item] of items.entries()) origins[list][document[list].push(item) - 1] = { file, index };
    }
    if (isMapping(values)) settings.push({ file, values });
    else if (values !== undefined) faults.push(`${file}: settings: must be a mapping`);
    const unknown = Object.keys(content).filter((key) => !(LISTS as readonly string[]).includes(key));
    faults.push(...unknown.map((key) => `${file}: unknown field "${key}"; known are ${LISTS.join(', ')}, settings`));
  }
  if (faults.length > 0) throw new ExitError(faults.join('\n'), FAILED);
  return { path, document, settings, locate: createLocate(path, origins) };
}

function createLocate(path: string, origins: Origins): DefinitionInput['locate'] {
  function place(text: string): { file: string; place: string } | null {
    const [, list, digits, rest = ''] = /^(apps|workflows|sinks)\[(\d+)\](.*)$/s.exec(text) ?? [];
    const origin = list === undefined ? undefined : origins[list as keyof Origins][Number(digits)];
    return origin === undefined ? null : { file: origin.file, place: `${list}[${origin.index}]${rest}` };
  }

  return ({ path: faultPath, message }) => {
    const found = place(faultPath);
    if (found === null) return [path, faultPath, message].filter((part) => part !== '').join(': ');
    // A definition that stands twice is told with the place of the first one.
    const told = message.replace(/(?<=defined already at )\S+$/, (first) => {
      const other = place(first);
      if (other === null) return first;
      return other.file === found.file ? other.place : `${other.place} of ${other.file}`;
    });
    return `${found.file}: ${found.place}: ${told}`;
  };
}

async function listFiles(path: string): Promise<string[]> {
  const files = await listDefinitionFiles(path).catch((error: unknown) => {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new ExitError(`there is nothing at ${path}; name a definition file, or a folder of them`, FAILED);
    throw new ExitError(`${path} cannot be read (${code})`, FAILED);
  });
  // Applying nothing at all would delete everything that was applied before: nobody means that by a wrong path.
  if (files.length === 0) throw new ExitError(`there is no .yaml file in ${path}`, FAILED);
  return files;
}

async function readFile(file: string, environment: Environment, faults: string[]): Promise<Record<string, unknown>> {
  try {
    return (await readDefinitionFiles(file, environment)) as Record<string, unknown>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    faults.push(code === undefined ? message.trim() : `${file} cannot be read (${code})`);
    return {};
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
