// Reads definition files, one YAML file or every one in a folder, as one document. Locates a path of the document in its
// file and line.

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
  /** Sorted; empty when the path does not exist or its folder has no file. */
  files: readonly string[];
  document: Record<List, unknown[]>;
  /** Merged from all files. */
  settings: Record<string, unknown>;
  /** One line of text each, with file and line. If there are any, the document must not be used. */
  faults: string[];
  /** Formats a fault of the document or of a setting (`settings.port`) as such a line. */
  locate(fault: Fault): string;
}

/** Resolves to the files at `path`, or to a fault. Never rejects. */
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

/** Never rejects: an unreadable file is a fault, and so is a path without files. */
export async function readDefinitionFiles(path: string, environment: Environment): Promise<DefinitionFiles> {
  const { files, fault } = await listDefinitionFiles(path);
  const merged = createMerge(path);
  for (const file of files) merged.add(await readYamlFile(file, environment));
  return { ...merged.result, files, faults: fault === null ? merged.result.faults : [fault, ...merged.result.faults] };
}

/** Merges files into one document. */
function createMerge(path: string) {
  const document: DefinitionFiles['document'] = { apps: [], workflows: [], sinks: [] };
  /** The file and index of each item of a list. */
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
    // A duplicate is reported with the location of the first definition.
    const located = message.replace(/(?<=defined already at )\S+$/, (first) => {
      const other = placeOf(first);
      if (other === null) return first;
      return other.file === found.file ? other.path : `${other.path} of ${other.file.file}`;
    });
    return found.file.locate({ path: found.path, message: located });
  }

  return { add, result: { document, settings, faults, locate } };
}

const KNOWN = [...LISTS, 'settings'];

/** An empty `auth_token:` is a template without its token, so it does not mean a public sink. */
function blankCredentials(file: YamlFile, index: number, sink: unknown): string[] {
  const blank = ['auth_token', 'auth'].filter(
    (field) => isMapping(sink) && sink[field] === null && file.isBlank(`sinks[${index}].${field}`),
  );
  const message = 'has no value; write a token, or null where anyone may trigger the sink';
  return blank.map((field) => file.locate({ path: `sinks[${index}].${field}`, message }));
}

/** `x-` fields are the author's own, for anchors and notes. */
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
