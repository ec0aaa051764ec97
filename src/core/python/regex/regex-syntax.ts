// Translates a pattern of Python's `re` into RE2's syntax, and refuses features that RE2 lacks. Characters are written by
// number, so none of them is special to RE2.

import { boundaryMarks, characterSet, MARKS } from './regex-characters.ts';
import { readClass } from './regex-class.ts';
import { readEscapedCharacter, writeCharacter } from './regex-escape.ts';
import { RegexFault } from './regex-fault.ts';
import { type Flags, readGroupOpening } from './regex-group.ts';
import { Scanner } from './regex-scanner.ts';

export interface Translation {
  source: string;
  /** The number of `\b` and `\B` in the pattern. */
  boundaries: number;
}

/** A `marked` text has marks before every character and at its end: `\b` and `\B` match them, all else skips them. */
export type TextForm = 'plain' | 'marked';

interface State {
  readonly scanner: Scanner;
  readonly isMarked: boolean;
  flags: Flags;
  /** The flags outside of each open group, from the outermost. */
  readonly outerFlags: Flags[];
  readonly groupNames: Set<string>;
  boundaries: number;
}

const NO_FLAGS: Flags = { isMultiline: false, isDotAll: false, isVerbose: false, isAscii: false };

export function translateRegex(pattern: string, form: TextForm): Translation {
  const scanner = new Scanner(pattern);
  const state: State = { scanner, isMarked: form === 'marked', flags: NO_FLAGS, outerFlags: [], groupNames: new Set(), boundaries: 0 };
  let source = '';
  while (!scanner.isAtEnd) source += readPart(state);
  return { source, boundaries: state.boundaries };
}

function readPart(state: State): string {
  const { scanner, flags } = state;
  const character = scanner.next();
  if (flags.isVerbose && skipsVerbose(character, scanner)) return '';
  switch (character) {
    case '\\':
      return readEscape(state);
    case '[':
      return skippingMarks(state, readClass(scanner, flags.isAscii, state.isMarked));
    case '(':
      return openGroup(state);
    case ')':
      state.flags = state.outerFlags.pop() ?? state.flags;
      return ')';
    case '.':
      return skippingMarks(state, anyExcept(state, flags.isDotAll ? '' : '\\n'));
    case '^':
      return flags.isMultiline ? '(?m:^)' : '\\A';
    case '$':
      return flags.isMultiline ? `(?:${optionalMarks(state)}(?m:$))` : `(?:${optionalMarks(state)}\\n?${optionalMarks(state)}\\z)`;
    case '*':
    case '+':
    case '?':
      return character + readLaziness(scanner);
    case '{':
      return readCount(scanner) ?? skippingMarks(state, writeCharacter(character));
    case '|':
      return character;
    default:
      return skippingMarks(state, writeCharacter(character));
  }
}

/** Skips the spaces and comments of a verbose pattern. */
function skipsVerbose(character: string, scanner: Scanner): boolean {
  if (character === '#') scanner.takeWhile(/[^\n]/);
  return character === '#' || /[ \t\n\r\f\v]/.test(character);
}

function readEscape(state: State): string {
  const { scanner, flags } = state;
  const letter = scanner.next();
  const set = characterSet(letter, flags.isAscii);
  if (set !== undefined) return skippingMarks(state, letter === letter.toLowerCase() ? `[${set.items}]` : anyExcept(state, set.items));
  switch (letter) {
    case 'A':
      return '\\A';
    case 'Z':
      return `(?:${optionalMarks(state)}\\z)`;
    case 'b':
    case 'B':
      return readBoundary(letter, state);
    default:
      if (/[1-9]/.test(letter)) refuseBackreference(letter, scanner);
      return skippingMarks(state, writeCharacter(readEscapedCharacter(letter, scanner)));
  }
}

/** RE2's own boundaries know only ASCII words, so other texts are marked. */
function readBoundary(letter: 'b' | 'B', state: State): string {
  if (state.flags.isAscii) return `\\${letter}`;
  state.boundaries += 1;
  if (!state.isMarked) return `\\${letter}`;
  return writeCharacter(letter === 'b' ? boundaryMarks.boundary : boundaryMarks.elsewhere);
}

/** Three octal digits are a character; any other number is a backreference. */
function refuseBackreference(first: string, scanner: Scanner): void {
  const start = scanner.position;
  const more = scanner.takeWhile(/[0-7]/, 2);
  if (more.length < 2 || !/[1-7]/.test(first)) {
    throw new RegexFault(`uses the backreference \\${first}, which is not supported: it cannot be matched in linear time`);
  }
  scanner.rewind(start);
}

function openGroup(state: State): string {
  const opening = readGroupOpening(state.scanner, state.flags, state.groupNames);
  if (opening.kind === 'group') state.outerFlags.push(state.flags);
  state.flags = opening.flags;
  return opening.source;
}

/** Reads the `?` of a lazy quantifier, and refuses the `+` of a possessive one. */
function readLaziness(scanner: Scanner): string {
  if (scanner.peek() === '+') throw new RegexFault('uses a possessive quantifier, which is not supported: leave out its last "+"');
  return scanner.take('?') ? '?' : '';
}

/** Reads `2}`, `2,}` or `,3}` after a brace; null if the brace is a plain character. */
function readCount(scanner: Scanner): string | null {
  const start = scanner.position;
  const least = scanner.takeWhile(/[0-9]/);
  const hasComma = scanner.take(',');
  const most = hasComma ? scanner.takeWhile(/[0-9]/) : '';
  if (!scanner.take('}') || (least === '' && !hasComma)) {
    scanner.rewind(start);
    return null;
  }
  return `{${least || '0'}${hasComma ? `,${most}` : ''}}${readLaziness(scanner)}`;
}

function anyExcept({ isMarked }: State, items: string): string {
  const excluded = items + (isMarked ? MARKS : '');
  return excluded === '' ? '(?s:.)' : `[^${excluded}]`;
}

function skippingMarks(state: State, source: string): string {
  return state.isMarked ? `(?:${optionalMarks(state)}${source})` : source;
}

function optionalMarks({ isMarked }: State): string {
  return isMarked ? `[${MARKS}]*` : '';
}
