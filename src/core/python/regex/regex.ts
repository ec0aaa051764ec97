// Python's `re.search` in linear time. The pattern is translated for RE2, which has no lookaround and no backreferences;
// a pattern with these is refused. Two differences remain: `$\n` does not match the last newline, and a boundary before
// an anchor, as in `\b^`, may not match.

import { RE2JS } from 're2js';
import { boundaryMarks, WORD } from './regex-characters.ts';
import { RegexFault } from './regex-fault.ts';
import { translateRegex } from './regex-syntax.ts';

export interface PythonRegex {
  isFoundIn(text: string): boolean;
}

/** Throws RegexFault if the pattern is invalid or needs a feature that RE2 lacks. */
export function compilePythonRegex(pattern: string): PythonRegex {
  const plain = compile(pattern, 'plain');
  if (plain.boundaries === 0) return { isFoundIn: (text) => plain.engine.test(text) };
  const marked = compile(pattern, 'marked');
  return {
    isFoundIn: (text) => (needsMarks(text) ? marked.engine.test(markBoundaries(text, plain.boundaries)) : plain.engine.test(text)),
  };
}

/** RE2's `\b` knows only ASCII words, so texts with other letters need marks. In an empty text Python finds no `\B`. */
function needsMarks(text: string): boolean {
  return text === '' || WORD_BEYOND_ASCII.test(text);
}

function compile(pattern: string, texts: 'plain' | 'marked'): { engine: RE2JS; boundaries: number } {
  const { source, boundaries } = translateRegex(pattern, texts);
  try {
    return { engine: RE2JS.compile(source), boundaries };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new RegexFault(
      `is not a valid regular expression: ${error.message.replace(/^error parsing regexp: /, '').replace(/: `.*$/s, '')}`,
    );
  }
}

const WORD_BEYOND_ASCII = /(?![\0-\x7f])[\p{L}\p{N}]/u;
const MAX_MARKS = 4;

/**
 * Writes marks before every character and at the end: one kind where a word begins or ends, another elsewhere. Each place
 * gets as many marks as the pattern may need there, at most MAX_MARKS.
 */
function markBoundaries(text: string, boundaries: number): string {
  if (text === '') return text;
  const count = Math.min(boundaries, MAX_MARKS);
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
