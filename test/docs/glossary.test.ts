// The glossary is in order and complete in form, and the documents use its terms in place of the retired ones.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readDocument } from './markdown.ts';

/** Where retired words may not occur; `src` can join as `{ folder: 'src', isDeep: true, ending: '.ts' }`. */
const CHECKED: readonly { folder: string; isDeep: boolean; ending: string }[] = [
  { folder: '.', isDeep: false, ending: '.md' },
  { folder: 'docs', isDeep: true, ending: '.md' },
];

/** Words that only this project used, or that leave the subject open, and the term that replaces each. */
const RETIRED: readonly [RegExp, string][] = [
  [/\bways? back\b/, 'loop, back edge'],
  [/\bways\b/, 'transitions'],
  [/\blanes?\b/, 'origin queue'],
  [/\brooms?\b/, 'memory budget, folder'],
  [/\bg(?:i|a)v(?:e|es|en|ing) (?:\S+ )?back\b/, 'release, return'],
  [/\bg(?:i|a)v(?:e|es|en|ing) way\b/, 'yield'],
  [/\bg(?:i|a)v(?:e|es|en|ing) up\b/, 'abort, fail'],
  [/\bt(?:a|oo)k(?:e|es|en|ing)? (?:up|over)\b/, 'claim, resume'],
  [/\blet(?:s|ting)? (?:\S+ )?go\b/, 'release, disconnect'],
  [/\bheld (?:in memory|back)\b/, 'in flight, leased'],
  [/\bunder way\b/, 'in flight'],
  [/\banew\b/, 'again'],
  [/\bst(?:and|ood|ands) still\b/, 'stalled'],
  [/\bwithout a word\b/, 'without an error'],
  [/\bwhoever\b/, 'the subject itself'],
  [/\b(?:is|are|was|were) told\b/, 'who says it'],
  [/\bwhat (?:becomes|came|comes) of\b/, 'result, next state'],
  [/\bof which\b/, 'a sentence of its own'],
  [/\bones? that\b/, 'the noun'],
];

interface Term {
  name: string;
  definition: string;
}

const terms: Term[] = readDocument('docs/glossary.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Term |') && !line.startsWith('| --- |'))
  .map((line) => {
    const [, name = '', definition = ''] = line.split('|').map((cell) => cell.trim());
    return { name, definition };
  });

test('each term of the glossary stands once, in alphabetical order', () => {
  const names = terms.map(({ name }) => name.toLowerCase());
  expect(names.length).toBeGreaterThan(40);
  expect(names).toEqual([...new Set(names)].sort());
});

test('each term of the glossary has a definition of one line', () => {
  const faulty = terms.filter(({ name, definition }) => name === '' || definition.length < 20 || definition.length > 130);
  expect(faulty).toEqual([]);
});

test('README and architecture link to the glossary', () => {
  expect(readDocument('README.md')).toContain('](docs/glossary.md)');
  expect(readDocument('docs/architecture.md')).toContain('](glossary.md)');
});

test('no document uses a retired word outside its code', () => {
  expect(CHECKED.flatMap(filesOf).flatMap(hitsIn)).toEqual([]);
});

test('retired words are found with their line, in any case and across lines, but not in code', () => {
  expect(retiredIn('One\nA Lane is full.')).toEqual([{ line: 2, hit: '"Lane": say origin queue' }]);
  expect(retiredIn('It gives\nit back.')).toEqual([{ line: 1, hit: '"gives\nit back": say release, return' }]);
  expect(proseOf('one\n```sh\nway back\n```\n`way back`\nlast').split('\n')).toEqual(['one', '', '', '', '', 'last']);
});

function filesOf({ folder, isDeep, ending }: (typeof CHECKED)[number]): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: isDeep, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

function hitsIn(path: string): string[] {
  return retiredIn(proseOf(readFileSync(join(ROOT, path), 'utf8'))).map(({ line, hit }) => `${path}:${line}: ${hit}`);
}

/** A word of several parts is found across the end of a line too. */
function retiredIn(text: string): { line: number; hit: string }[] {
  return RETIRED.flatMap(([pattern, term]) =>
    [...text.matchAll(new RegExp(pattern.source.replaceAll(' ', '\\s+'), 'gi'))].map((found) => ({
      line: text.slice(0, found.index).split('\n').length,
      hit: `"${found[0]}": say ${term}`,
    })),
  );
}

/** Without fenced blocks, code within a line, and the parts that `npm run docs` takes from src; line numbers stay. */
function proseOf(text: string): string {
  const code = /^ *```[\s\S]*?^ *```$|^<!-- .*: made by "npm run docs" -->$[\s\S]*?^<!-- end -->$|`[^`\n]*`/gm;
  return text.replaceAll(code, (part) => part.replaceAll(/[^\n]/g, ''));
}
