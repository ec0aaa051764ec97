// Reads an escape that stands for a single character, such as `\n`, `\x41` or `\101`.

import { RegexFault } from './regex-fault.ts';
import type { Scanner } from './regex-scanner.ts';

const CONTROLS: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Expects that the backslash and the letter have been read. Refuses letters without a meaning, as Python does. */
export function readEscapedCharacter(letter: string, scanner: Scanner): string {
  if (letter === '') throw new RegexFault('is not a valid regular expression: a character must follow the last backslash');
  const control = CONTROLS[letter];
  if (control !== undefined) return control;
  const hexLength = HEX_LENGTHS[letter];
  if (hexLength !== undefined) return readHex(letter, hexLength, scanner);
  if (OCTAL_DIGIT.test(letter)) return readOctal(letter, scanner);
  if (/[A-Za-z0-9]/.test(letter)) throw new RegexFault(`is not a valid regular expression: \\${letter} is not a known escape`);
  return letter;
}

const OCTAL_DIGIT = /[0-7]/;

function readHex(letter: string, length: number, scanner: Scanner): string {
  const digits = scanner.takeWhile(/[0-9A-Fa-f]/, length);
  const code = Number.parseInt(digits, 16);
  if (digits.length === length && code <= 0x10ffff) return String.fromCodePoint(code);
  throw new RegexFault(
    `is not a valid regular expression: \\${letter} must be followed by the ${length} hexadecimal digits of a character`,
  );
}

/** Up to three octal digits. */
function readOctal(first: string, scanner: Scanner): string {
  const code = Number.parseInt(first + scanner.takeWhile(OCTAL_DIGIT, 2), 8);
  if (code <= 0o377) return String.fromCharCode(code);
  throw new RegexFault('is not a valid regular expression: an octal escape must be at most \\377');
}

/** Writes the character by its number, which is never special in RE2's syntax. */
export function writeCharacter(character: string): string {
  return `\\x{${(character.codePointAt(0) as number).toString(16)}}`;
}
