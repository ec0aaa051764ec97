// Translates a character class, such as `[a-z\d]`, for RE2.

import { characterSet, MARKS } from './regex-characters.ts';
import { readEscapedCharacter, writeCharacter } from './regex-escape.ts';
import { RegexFault } from './regex-fault.ts';
import type { Scanner } from './regex-scanner.ts';

interface Member {
  items: string;
  /** Null for a set, which cannot be the end of a range. */
  character: string | null;
}

/** Expects that the opening bracket has been read. */
export function readClass(scanner: Scanner, isAscii: boolean, isMarked: boolean): string {
  const isNegated = scanner.take('^');
  let items = '';
  let isFirst = true;
  while (isFirst || scanner.peek() !== ']') {
    isFirst = false;
    const member = readMember(scanner, isAscii);
    items += readRangeEnd(member, scanner, isAscii) ?? member.items;
  }
  scanner.next();
  if (!isNegated) return `[${items}]`;
  return `[^${items}${isMarked ? MARKS : ''}]`;
}

/** A `-` before the closing bracket is a plain character. */
function readRangeEnd({ character }: Member, scanner: Scanner, isAscii: boolean): string | null {
  const start = scanner.position;
  if (!scanner.take('-')) return null;
  if (scanner.peek() === ']') {
    scanner.rewind(start);
    return null;
  }
  const end = readMember(scanner, isAscii).character;
  if (character === null || end === null || (end.codePointAt(0) as number) < (character.codePointAt(0) as number)) {
    throw new RegexFault('is not a valid regular expression: a range in a class must go from one character to a later one');
  }
  return `${writeCharacter(character)}-${writeCharacter(end)}`;
}

function readMember(scanner: Scanner, isAscii: boolean): Member {
  if (scanner.isAtEnd) throw new RegexFault('is not a valid regular expression: a character class must be closed with "]"');
  const character = scanner.next();
  if (character !== '\\') return memberOf(character);
  const letter = scanner.next();
  const set = characterSet(letter, isAscii);
  if (set !== undefined) return { items: letter === letter.toLowerCase() ? set.items : set.otherItems, character: null };
  return memberOf(letter === 'b' ? '\b' : readEscapedCharacter(letter, scanner));
}

function memberOf(character: string): Member {
  return { items: writeCharacter(character), character };
}
