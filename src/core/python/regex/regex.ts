// Python's `re.search`, in linear time: the pattern is translated for RE2, whose engine has no lookaround and no
// backreferences. A pattern with those is refused. Only what follows `$` and still wants the last newline, as `$\n`
// does, and boundaries on the far side of an anchor, as in `\b^`, are not found where Python finds them.

import { RE2JS } from 're2js';
import { boundaryMarks, WORD } from './regex-characters.ts';
import { RegexFault } from './regex-fault.ts';
import { translateRegex } from './regex-syntax.ts';

export interface PythonRegex {
  isFoundIn(text: string): boolean;
}

/** Throws RegexFault for a pattern that is not valid, or that this engine cannot run. */
export function compilePythonRegex(pattern: string): PythonRegex {
  const plain = compile(pattern, 'plain');
  if (plain.boundaries === 0) return { isFoundIn: (text) => plain.engine.test(text) };
  const marked = compile(pattern, 'marked');
  return {
    isFoundIn: (text) => (needsMarks(text) ? marked.engine.test(markBoundaries(text, plain.boundaries)) : plain.engine.test(text)),
  };
}

/** To RE2 a word is ASCII, so that its own `\b` tells the truth only in texts that are. An empty text has none, nor `\B`. */
function needsMarks(text: string): boolean {
  return text === '' || WORD_BEYOND_ASCII.test(text);
}

function compile(pattern: string, texts: 'plain' | 'marked'): { engine: RE2JS; boundaries: number } {
  const { source, boundaries } = translateRegex(pattern, texts);
  try {
    return { engine: RE2JS.compile(source), boundaries };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new RegexFault(`is no valid regular expression: ${error.message.replace(/^error parsing regexp: /, '').replace(/: `.*$/s, '')}`);
  }
}

const WORD_BEYOND_ASCII = /(?![\0-\x7f])[\p{L}\p{N}]/u;
const MOST_MARKS = 4;

/**
 * Writes a mark at every place in the text: one where a word begins or ends, another elsewhere, which `\b` and `\B` then
 * look for. As many as the pattern may want at one place.
 */
function markBoundaries(text: string, boundaries: number): string {
  if (text === '') return text;
  const count = Math.min(boundaries, MOST_MARKS);
  const atBoundary = boundaryMarks.boundary.repeat(count);
  const elsewhere = boundaryMarks.elsewhere.repeat(count);
  let marked = '';
  let isAfterWord = false;
  for (const character of text) {
    const isWord = WORD.test(character);
    marked += (isWord === isAfterWord ? elsewhere : atBoundary) + (isMark(character) ? '\ufffd' : character);
    isAfterWord = isWord;
  }
  return marked + (isAfterWord ? atBoundary : elsewhere);
}

function isMark(character: string): boolean {
  return character === boundaryMarks.boundary || character === boundaryMarks.elsewhere;
}
