// Reads definition files: one YAML file, or every one in a folder, as one document. `${env:NAME}` in a text stands for
// an environment variable, so that secrets stay out of the files.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, isScalar, parseDocument, visit, type YAMLParseError } from 'yaml';
import { ExactNumber } from '../core/json.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const LISTS = ['apps', 'workflows', 'sinks'] as const;
const VARIABLE = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The files that `path` names, sorted. Rejects when there is nothing there. */
export async function listDefinitionFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
  return names.map((name) => join(path, name));
}

/** Rejects with an Error that names file, place and what is wrong. Values are not checked yet. */
export async function readDefinitionFiles(path: string, environment: Environment): Promise<unknown> {
  const merged: Record<string, unknown> = {};
  for (const file of await listDefinitionFiles(path)) {
    const document = parseFile(file, await readFile(file, 'utf8'), environment);
    for (const [key, value] of Object.entries(document)) {
      const known = merged[key];
      merged[key] =
        (LISTS as readonly string[]).includes(key) && Array.isArray(known) && Array.isArray(value) ? [...known, ...value] : value;
    }
  }
  return merged;
}

function parseFile(file: string, text: string, environment: Environment): object {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`${file}: ${describeYamlError(error, text)}`);
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'number' && node.source !== undefined && NUMBER.test(node.source) && String(node.value) !== node.source) {
        node.value = new ExactNumber(node.source);
      } else if (typeof node.value === 'string') {
        node.value = fillIn(file, node.value, environment);
      }
    },
  });
  if (isScalar(document.contents) && document.contents.value === null) return {};
  const value = toValue(file, document);
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`${file}: must hold a mapping with ${LISTS.join(', ')}`);
  return value as object;
}

/** The first line of the message names fault and place; what follows quotes the file, which may hold secrets. */
function describeYamlError({ code, message, pos }: YAMLParseError, text: string): string {
  const line = (message.split('\n')[0] as string).replace(/:$/, '');
  const key = code === 'DUPLICATE_KEY' ? /^["']?([^"':\s]+)/.exec(text.slice(pos[0]))?.[1] : undefined;
  return key === undefined ? line : line.replace('Map keys must be unique', `field "${key}" appears twice`);
}

function toValue(file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

function fillIn(file: string, text: string, environment: Environment): string {
  return text.replaceAll(VARIABLE, (_match, name: string) => {
    const value = environment[name];
    if (value === undefined || value === '')
      throw new Error(`${file}: environment variable ${name} is not set, but \${env:${name}} needs it`);
    return value;
  });
}

/** The `settings` of the definition files; none when the files are not there. */
export async function readSettings(path: string, environment: Environment): Promise<Record<string, unknown>> {
  const document = await readDefinitionFiles(path, environment).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  });
  const { settings = {} } = document as { settings?: unknown };
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) throw new Error(`${path}: settings must be a mapping`);
  return settings as Record<string, unknown>;
}
