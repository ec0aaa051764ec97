// The glossary is in order and complete in form, and the documents use its terms in place of the retired ones.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readDocument } from './markdown.ts';

interface Checked {
  folder: string;
  isDeep: boolean;
  ending: string;
}

/** Folders of source without retired words, each with all its subfolders. */
const CLEAN_SOURCE = ['scripts', 'src', 'test/start-up', 'test/steps', 'test/support'];

/** Where retired words may not occur. */
const CHECKED: readonly Checked[] = [
  { folder: '.', isDeep: false, ending: '.md' },
  { folder: 'docs', isDeep: true, ending: '.md' },
  ...CLEAN_SOURCE.map((folder) => ({ folder, isDeep: true, ending: '.ts' })),
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
  [/\bt(?:a|oo)k(?:e|es|en|ing)? (?:up|over)\b(?! to\b)/, 'claim, resume'],
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

/** The same words as parts of the names in source. */
const RETIRED_NAMES: readonly [RegExp, string][] = [
  [/[wW]ays?(?:Back|Of)(?![a-z])|(?<=[a-z0-9])Ways(?![a-z])|\bways(?=[A-Z])/, 'loop, transition'],
  [/(?<=[a-z0-9])Lanes?(?![a-z])|\blanes?(?=[A-Z])/, 'origin queue'],
  [/(?<=[a-z0-9])Rooms?(?![a-z])|\brooms?(?=[A-Z])/, 'memory budget'],
  [/[gG](?:ive|iven|ave)(?:Back|Up|Way)(?![a-z])/, 'release, abort, yield'],
  [/[tT](?:ake|aken|ook)(?:Back|Up|Over)(?![a-z])/, 'claim, resume'],
  [/[lL]etGo(?![a-z])/, 'release'],
  [/(?<=[a-z0-9])Held(?![a-z])|\b[hH]eld(?=[A-Z])/, 'leased, in flight'],
  [/(?<=[a-z0-9])Told(?![a-z])|\btold(?=[A-Z(])/, 'outcome'],
];

interface Hit {
  line: number;
  hit: string;
}

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

test('no document and no clean folder of source uses a retired word', () => {
  expect(CHECKED.flatMap(filesOf).flatMap(hitsIn)).toEqual([]);
});

test('retired words are found with their line, in any case and across lines, but not in the code of documents', () => {
  expect(retiredIn('One\nA Lane is full.')).toEqual([{ line: 2, hit: '"Lane": say origin queue' }]);
  expect(retiredIn('It gives\nit back.')).toEqual([{ line: 1, hit: '"gives\nit back": say release, return' }]);
  expect(proseOf('one\n```sh\nway back\n```\n`way back`\nlast').split('\n')).toEqual(['one', '', '', '', '', 'last']);
});

test('retired words are found in source across the lines of a comment, and as parts of names', () => {
  expect(retiredIn(uncommented('// It gives\n// it back.')).map(({ line }) => line)).toEqual([1]);
  expect(retiredIn(uncommented('/**\n * One\n * that waits.\n */')).map(({ line }) => line)).toEqual([2]);
  const names = ['originLane', 'giveBack', '#giveUp', 'wayBack', 'waysOf', 'letGo', 'takeUp', 'heldRoom', 'told('];
  for (const name of names)
    expect(retiredNamesIn(`a\n${name}`), name).toMatchObject([{ line: 2 }, ...(name === 'heldRoom' ? [{ line: 2 }] : [])]);
  for (const name of ['findMyWay', 'always', 'planes', 'untold(', 'giver', 'withheld']) expect(retiredNamesIn(name), name).toEqual([]);
});

function filesOf({ folder, isDeep, ending }: Checked): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: isDeep, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

function hitsIn(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const hits = path.endsWith('.md') ? retiredIn(proseOf(text)) : [...retiredIn(uncommented(text)), ...retiredNamesIn(text)];
  return hits.map(({ line, hit }) => `${path}:${line}: ${hit}`);
}

/** A word of several parts is found across the end of a line too. */
function retiredIn(text: string): Hit[] {
  return RETIRED.flatMap(([pattern, term]) => hitsOf(new RegExp(pattern.source.replaceAll(' ', '\\s+'), 'gi'), term, text));
}

function retiredNamesIn(text: string): Hit[] {
  return RETIRED_NAMES.flatMap(([pattern, term]) => hitsOf(new RegExp(pattern.source, 'g'), term, text));
}

function hitsOf(pattern: RegExp, term: string, text: string): Hit[] {
  return [...text.matchAll(pattern)].map((found) => ({
    line: text.slice(0, found.index).split('\n').length,
    hit: `"${found[0]}": say ${term}`,
  }));
}

/** Without fenced blocks, code within a line, and the parts that `npm run docs` takes from src; line numbers stay. */
function proseOf(text: string): string {
  const code = /^ *```[\s\S]*?^ *```$|^<!-- .*: made by "npm run docs" -->$[\s\S]*?^<!-- end -->$|`[^`\n]*`/gm;
  return text.replaceAll(code, (part) => part.replaceAll(/[^\n]/g, ''));
}

/** Source without the marks that begin the lines of its comments. */
function uncommented(text: string): string {
  return text.replaceAll(/^[\t ]*(?:\/\/|\/?\*+)/gm, '');
}
