// What a backslash makes of the characters after it, where it makes a single character of them.

import { RegexFault } from './regex-fault.ts';
import type { Scanner } from './regex-scanner.ts';

const CONTROLS: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** The backslash and the letter have been read. Gives the character; refuses letters that mean nothing, as Python does. */
export function readEscapedCharacter(letter: string, scanner: Scanner): string {
  if (letter === '') throw new RegexFault('is no valid regular expression: nothing comes after the last backslash');
  const control = CONTROLS[letter];
  if (control !== undefined) return control;
  const hexLength = HEX_LENGTHS[letter];
  if (hexLength !== undefined) return readHex(letter, hexLength, scanner);
  if (OCTAL_DIGIT.test(letter)) return readOctal(letter, scanner);
  if (/[A-Za-z0-9]/.test(letter)) throw new RegexFault(`is no valid regular expression: \\${letter} has no meaning`);
  return letter;
}

const OCTAL_DIGIT = /[0-7]/;

function readHex(letter: string, length: number, scanner: Scanner): string {
  const digits = scanner.takeWhile(/[0-9A-Fa-f]/, length);
  const code = Number.parseInt(digits, 16);
  if (digits.length === length && code <= 0x10ffff) return String.fromCodePoint(code);
  throw new RegexFault(`is no valid regular expression: \\${letter} wants ${length} hexadecimal digits of a character`);
}

/** `\0` and up to two digits more, or three digits. */
function readOctal(first: string, scanner: Scanner): string {
  const code = Number.parseInt(first + scanner.takeWhile(OCTAL_DIGIT, 2), 8);
  if (code <= 0o377) return String.fromCharCode(code);
  throw new RegexFault('is no valid regular expression: an octal number goes up to \\377');
}

/** By its number, which means the same everywhere in RE2's syntax. */
export function writeCharacter(character: string): string {
  return `\\x{${(character.codePointAt(0) as number).toString(16)}}`;
}
