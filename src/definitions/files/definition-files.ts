// Definition files: one YAML file, or every one in a folder, read as one document, with the way back from a place in it
// to file and line.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '../../core/fault.ts';
import { ExactNumber } from '../../core/json/json.ts';
import { sayKnown } from '../../core/values/near-names.ts';
import { readYamlFile, type YamlFile } from '../yaml/yaml-file.ts';
import type { Environment } from '../yaml/yaml-value.ts';

const LISTS = ['apps', 'workflows', 'sinks'] as const;
type List = (typeof LISTS)[number];

export interface DefinitionFiles {
  /** Those that were read, sorted; none where there is nothing at the path, or no file in the folder. */
  files: readonly string[];
  document: Record<List, unknown[]>;
  /** Of all files together. */
  settings: Record<string, unknown>;
  /** A line of text each, with file and line; the document is not to be used then. */
  faults: string[];
  /** A fault of the document or of a setting (`settings.port`) as such a line. */
  locate(fault: Fault): string;
}

/** The files that `path` names, or the fault that keeps them from being named. */
export async function listDefinitionFiles(path: string): Promise<{ files: string[]; fault: string | null }> {
  try {
    if (!(await stat(path)).isDirectory()) return { files: [path], fault: null };
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
    const fault = names.length === 0 ? `there is no .yaml file in ${path}` : null;
    return { files: names.map((name) => join(path, name)), fault };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { files: [], fault: `there is nothing at ${path}; name a definition file, or a folder of them` };
    return { files: [], fault: `${path} cannot be read (${code})` };
  }
}

/** Never rejects: what cannot be read is a fault, and so is a path without any file. */
export async function readDefinitionFiles(path: string, environment: Environment): Promise<DefinitionFiles> {
  const { files, fault } = await listDefinitionFiles(path);
  const merged = createMerge(path);
  for (const file of files) merged.add(await readYamlFile(file, environment));
  return { ...merged.result, files, faults: fault === null ? merged.result.faults : [fault, ...merged.result.faults] };
}

/** Gathers files into one document. */
function createMerge(path: string) {
  const document: DefinitionFiles['document'] = { apps: [], workflows: [], sinks: [] };
  /** Where each item of a list stands. */
  const origins: Record<List, { file: YamlFile; index: number }[]> = { apps: [], workflows: [], sinks: [] };
  const settings: Record<string, unknown> = {};
  const settingOrigins = new Map<string, YamlFile>();
  const faults: string[] = [];

  function add(file: YamlFile): void {
    faults.push(...file.faults);
    if (file.value === null) return;
    if (!isMapping(file.value)) {
      faults.push(file.locate({ path: '', message: `must hold a mapping with ${LISTS.join(', ')}` }));
      return;
    }
    for (const [key, value] of Object.entries(file.value)) {
      if (key === 'settings') addSettings(file, value ?? {});
      else if (isList(key)) addItems(file, key, value ?? []);
      else if (!isExtension(key)) faults.push(file.locate({ path: '', message: `unknown field "${key}"${sayKnown(key, KNOWN)}` }));
    }
  }

  function addItems(file: YamlFile, list: List, items: unknown): void {
    if (!Array.isArray(items)) {
      faults.push(file.locate({ path: list, message: 'must be a list' }));
      return;
    }
    for (const [index, item] of items.entries()) {
      origins[list][document[list].push(withoutExtensions(item)) - 1] = { file, index };
      if (list === 'sinks') faults.push(...blankCredentials(file, index, item));
    }
  }

  function addSettings(file: YamlFile, values: unknown): void {
    if (!isMapping(values)) {
      faults.push(file.locate({ path: 'settings', message: 'must be a mapping' }));
      return;
    }
    for (const [key, value] of Object.entries(values)) {
      const other = settingOrigins.get(key);
      if (other !== undefined) faults.push(file.locate({ path: `settings.${key}`, message: `is set already in ${other.file}` }));
      settingOrigins.set(key, file);
      settings[key] = value;
    }
  }

  function placeOf(text: string): { file: YamlFile; path: string } | null {
    const setting = settingOrigins.get(/^settings\.(.+)$/s.exec(text)?.[1] ?? '');
    if (setting !== undefined) return { file: setting, path: text };
    const [, list, digits, rest = ''] = /^(apps|workflows|sinks)\[(\d+)\](.*)$/s.exec(text) ?? [];
    const origin = list === undefined ? undefined : origins[list as List][Number(digits)];
    return origin === undefined ? null : { file: origin.file, path: `${list}[${origin.index}]${rest}` };
  }

  function locate({ path: faultPath, message }: Fault): string {
    const found = placeOf(faultPath);
    if (found === null) return [path, faultPath, message].filter((part) => part !== '').join(': ');
    // What stands twice is told with the place of the first one.
    const told = message.replace(/(?<=defined already at )\S+$/, (first) => {
      const other = placeOf(first);
      if (other === null) return first;
      return other.file === found.file ? other.path : `${other.path} of ${other.file.file}`;
    });
    return found.file.locate({ path: found.path, message: told });
  }

  return { add, result: { document, settings, faults, locate } };
}

const KNOWN = [...LISTS, 'settings'];

/** `auth_token:` with nothing after it is what a template leaves that was given no token: nobody says "public" so. */
function blankCredentials(file: YamlFile, index: number, sink: unknown): string[] {
  const blank = ['auth_token', 'auth'].filter(
    (field) => isMapping(sink) && sink[field] === null && file.isBlank(`sinks[${index}].${field}`),
  );
  const message = 'has no value; write a token, or null where anyone may trigger the sink';
  return blank.map((field) => file.locate({ path: `sinks[${index}].${field}`, message }));
}

/** Fields that begin so are the author's own: a place for anchors and notes. */
function isExtension(key: string): boolean {
  return key.startsWith('x-');
}

function withoutExtensions(item: unknown): unknown {
  return isMapping(item) ? Object.fromEntries(Object.entries(item).filter(([key]) => !isExtension(key))) : item;
}

function isList(key: string): key is List {
  return (LISTS as readonly string[]).includes(key);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}
