// Reads definition files, one YAML file or every one in a folder, as one document. Locates a path of the document in its
// file and line.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '../../core/fault.ts';
import { ExactNumber } from '../../core/json/json.ts';
import { suggestNames } from '../../core/values/similar-names.ts';
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
    if (code === 'ENOENT')
      return { files: [], fault: `there is nothing at ${path}; give a definition file, or a folder of definition files` };
    return { files: [], fault: `${path} cannot be read (${code})` };
  }
}

/** Never rejects: an unreadable file is a fault, and so is a path without files. */
export async function readDefinitionFiles(path: string, environment: Environment): Promise<DefinitionFiles> {
  const { files, fault } = await listDefinitionFiles(path);
  const merged = new MergedFiles(path);
  for (const file of files) merged.add(await readYamlFile(file, environment));
  const { faults, ...result } = merged.result();
  return { ...result, files, faults: fault === null ? faults : [fault, ...faults] };
}

/** Merges files into one document, and remembers the origin of each of its items. */
class MergedFiles {
  readonly #path: string;
  readonly #document: DefinitionFiles['document'] = { apps: [], workflows: [], sinks: [] };
  /** The file and index of each item of a list. */
  readonly #origins: Record<List, { file: YamlFile; index: number }[]> = { apps: [], workflows: [], sinks: [] };
  readonly #settings: Record<string, unknown> = {};
  readonly #settingOrigins = new Map<string, YamlFile>();
  readonly #faults: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  add(file: YamlFile): void {
    this.#faults.push(...file.faults);
    if (file.value === null) return;
    if (!isMapping(file.value)) return this.#addFault(file, '', `must be a mapping with ${LISTS.join(', ')}`);
    for (const [key, value] of Object.entries(file.value)) {
      if (key === 'settings') this.#addSettings(file, value ?? {});
      else if (isList(key)) this.#addItems(file, key, value ?? []);
      else if (!isExtension(key)) this.#addFault(file, '', `unknown field "${key}"${suggestNames(key, KNOWN)}`);
    }
  }

  result(): Omit<DefinitionFiles, 'files'> {
    const locate = (fault: Fault): string => this.#locate(fault);
    return { document: this.#document, settings: this.#settings, faults: this.#faults, locate };
  }

  #addFault(file: YamlFile, path: string, message: string): void {
    this.#faults.push(file.locate({ path, message }));
  }

  #addItems(file: YamlFile, list: List, items: unknown): void {
    if (!Array.isArray(items)) return this.#addFault(file, list, 'must be a list');
    for (const [index, item] of items.entries()) {
      this.#document[list].push(withoutExtensions(item));
      this.#origins[list].push({ file, index });
      if (list === 'sinks') this.#faults.push(...blankCredentials(file, index, item));
    }
  }

  #addSettings(file: YamlFile, values: unknown): void {
    if (!isMapping(values)) return this.#addFault(file, 'settings', 'must be a mapping');
    for (const [key, value] of Object.entries(values)) {
      const other = this.#settingOrigins.get(key);
      if (other !== undefined) this.#addFault(file, `settings.${key}`, `is already set in ${other.file}`);
      this.#settingOrigins.set(key, file);
      this.#settings[key] = value;
    }
  }

  #locate({ path: faultPath, message }: Fault): string {
    const origin = this.#originOf(faultPath);
    if (origin === null) return [this.#path, faultPath, message].filter((part) => part !== '').join(': ');
    // A duplicate is reported with the location of the first definition.
    const located = message.replace(/(?<=already defined at )\S+$/, (first) => {
      const other = this.#originOf(first);
      if (other === null) return first;
      return other.file === origin.file ? other.path : `${other.path} of ${other.file.file}`;
    });
    return origin.file.locate({ path: origin.path, message: located });
  }

  /** The file of a path of the document, and the path within the file. */
  #originOf(path: string): { file: YamlFile; path: string } | null {
    const setting = this.#settingOrigins.get(/^settings\.(.+)$/s.exec(path)?.[1] ?? '');
    if (setting !== undefined) return { file: setting, path };
    const [, list, digits, rest = ''] = /^(apps|workflows|sinks)\[(\d+)\](.*)$/s.exec(path) ?? [];
    const origin = list === undefined ? undefined : this.#origins[list as List][Number(digits)];
    return origin === undefined ? null : { file: origin.file, path: `${list}[${origin.index}]${rest}` };
  }
}

const KNOWN = [...LISTS, 'settings'];

/** An empty `auth_token:` is a template without its token, so it does not mean a public sink. */
function blankCredentials(file: YamlFile, index: number, sink: unknown): string[] {
  const blank = ['auth_token', 'auth'].filter(
    (field) => isMapping(sink) && sink[field] === null && file.isBlank(`sinks[${index}].${field}`),
  );
  const message = 'has no value; write a token, or null to let anyone trigger the sink';
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
