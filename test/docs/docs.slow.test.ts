// Every example of the documents: commands run as printed against the real server and print the output shown, the real
// validator accepts definitions, and links have a target.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseSink } from '../../src/core/sink/sink.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { onTestEnd } from '../support/cleanup.ts';
import { sluice } from '../support/run-cli.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Clone, type CloneEnvironment, type Ran, runBlocks, startClone } from './clone.ts';
import { anchorsOf, type Block, blocksOf, linksOf, listDocuments, ROOT, readDocument } from './markdown.ts';
import { isShown, masked } from './masked.ts';

const OUTPUTS = ['text', 'http', 'json'];
/** Blocks that cannot run here: another program reads them, or they start something that does not end. */
const ONLY_READ = ['console', 'nginx', 'caddyfile', 'ini', 'html', 'js', 'mermaid'];

const isSetUp = ({ text }: Block): boolean => /^(?:git|npm|cd) /.test(text);
const isRun = (block: Block): boolean => block.language === 'sh' && !isSetUp(block);

/** Blocks that show the output of the block before. */
function isOutput(blocks: readonly Block[], index: number): boolean {
  const { language, isDirectlyAfter } = blocks[index] as Block;
  return OUTPUTS.includes(language) && isDirectlyAfter && blocks[index - 1]?.language === 'sh';
}

const documents = listDocuments().map((path) => ({ path, markdown: readDocument(path), blocks: blocksOf(readDocument(path)) }));

const isRecipe = (path: string): boolean => path.startsWith(join('docs', 'cookbook'));
const recipes = documents.filter(({ path }) => isRecipe(path));

/**
 * Definition files that a document asks its reader to save. Such a document has its own clone; the recipes of the cookbook
 * share one, and so do all others.
 */
const filesOf = (blocks: readonly Block[]): Map<string, string> =>
  new Map(blocks.filter(({ options }) => options.has('file')).map(({ options, text }) => [options.get('file') as string, text]));

/** What recipes export in their shell before the server starts: `export NAME='value'`. */
const recipeEnvironment: CloneEnvironment = Object.fromEntries(
  recipes
    .flatMap(({ blocks }) => blocks.filter(isRun))
    .flatMap(({ text }) => [...text.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)])
    .map(([, name, value]) => [name as string, value as string]),
);

let shared: Clone;
let cookbook: Clone;
beforeAll(async () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const onEnd = (cleanup: () => void | Promise<void>): void => void cleanups.push(cleanup);
  shared = await startClone(new Map(), onEnd);
  cookbook = await startClone(filesOf(recipes.flatMap(({ blocks }) => blocks)), onEnd, recipeEnvironment);
  return async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
});

async function cloneOf(path: string, blocks: readonly Block[], onEnd: typeof onTestEnd): Promise<Clone> {
  if (isRecipe(path)) return cookbook;
  const files = filesOf(blocks);
  return files.size === 0 ? shared : await startClone(files, onEnd);
}

for (const { path, blocks } of documents.filter((document) => document.blocks.some(isRun))) {
  test.concurrent(`the commands of ${path} run as printed and print what it says`, { timeout: 180_000 }, async ({ onTestFinished }) => {
    const onEnd = (cleanup: () => void | Promise<void>): void => onTestFinished(cleanup);
    const clone = await cloneOf(path, blocks, onEnd);
    const commands = blocks.filter(isRun);
    const ran = await runBlocks(clone, commands, tempDir(onEnd));
    for (const [index, output] of blocks.entries()) {
      const command = blocks[index - 1];
      if (!isOutput(blocks, index) || command === undefined || !isRun(command)) continue;
      const { stdout, stderr } = ran[commands.indexOf(command)] as Ran;
      const real = command.options.has('exit') ? stdout + stderr : stdout;
      if (!isShown(output.language, output.text, real)) expect(masked(real), `${path}:${output.line}`).toBe(masked(output.text));
    }
  });
}

for (const { path, markdown, blocks } of documents) {
  const definitions = blocks.filter(({ language }, index) => language === 'yaml' || (language === 'json' && !isOutput(blocks, index)));
  if (definitions.length > 0) {
    test(`the definitions in ${path} are valid`, async () => {
      for (const { language, text, line } of definitions) {
        const faults = language === 'yaml' ? await yamlFaults(text) : jsonFaults(text);
        expect(faults, `${path}:${line}`).toEqual([]);
      }
    });
  }

  test(`the blocks of ${path} are checked, or of a kind that cannot be run`, () => {
    const known = ['sh', 'yaml', ...OUTPUTS, ...ONLY_READ];
    expect(blocks.filter(({ language }) => !known.includes(language)).map(({ line }) => line)).toEqual([]);
  });

  test(`the links of ${path} lead to a file, and to a heading in it`, () => {
    const targets = linksOf(markdown).filter((target) => !/^https?:/.test(target));
    expect(targets.filter((target) => !leadsSomewhere(path, target))).toEqual([]);
  });
}

test('the commands that set up a clone are scripts of package.json, and those that CI runs', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const text = documents.map(({ markdown }) => markdown).join('\n');
  const named = new Set([...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name as string));
  expect([...named].filter((name) => scripts[name] === undefined)).toEqual([]);
  const readme = blocksOf(readDocument('README.md')).filter(isSetUp);
  expect(readme.map((block) => block.text)).toEqual(expect.arrayContaining(['npm ci && npm start', 'npm ci && npm test']));
  expect(scripts['start']).toBe('node scripts/sluice.mjs serve --demo');
  const ci = readFileSync(join(ROOT, '.ci/run'), 'utf8');
  expect(['npm ci', 'npm test', 'npm start'].filter((command) => !ci.includes(command))).toEqual([]);
});

test('every document can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    for (const target of linksOf(readDocument(path))) {
      const file = normalize(join(dirname(path), target.split('#')[0] ?? ''));
      if (file.endsWith('.md') && existsSync(join(ROOT, file))) reached.add(file);
    }
  }
  expect(listDocuments().filter((path) => !reached.has(path))).toEqual([]);
});

/** The faults as `sluice validate` prints them, one per line. */
async function yamlFaults(text: string): Promise<string[]> {
  const file = join(tempDir(), 'example.yaml');
  writeFileSync(file, text);
  const anyValues = Object.fromEntries([...text.matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => [name as string, 'a-value']));
  const { stderr } = await sluice(['validate', file], { environment: { ...anyValues, ...recipeEnvironment } });
  return stderr.split('\n').filter((line) => line !== '');
}

/** A workflow or a sink, as the admin API accepts it. */
function jsonFaults(text: string): unknown[] {
  const value = JSON.parse(text) as object;
  return 'steps' in value ? workflowFaults(value, createStepTypes(builtinStepTypes).inspect) : parseSink(value, 'shop').faults;
}

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(ROOT, path))) return false;
  return anchor === undefined || anchorsOf(readDocument(path)).includes(anchor);
}
