// Reads the opening of a group: plain, named, flags or comment. Refuses the groups that RE2 does not have.

import { RegexFault } from './regex-fault.ts';
import type { Scanner } from './regex-scanner.ts';

/** The flags that the translation applies itself; RE2 gets only `i`. */
export interface Flags {
  readonly isMultiline: boolean;
  readonly isDotAll: boolean;
  readonly isVerbose: boolean;
  readonly isAscii: boolean;
}

export type Opening =
  /** A group that its parenthesis closes later. */
  | { kind: 'group'; source: string; flags: Flags }
  /** Read completely, including its closing parenthesis. */
  | { kind: 'whole'; source: string; flags: Flags };

const UNSUPPORTED: readonly [string, string][] = [
  ['=', 'lookahead "(?="'],
  ['!', 'negative lookahead "(?!"'],
  ['<=', 'lookbehind "(?<="'],
  ['<!', 'negative lookbehind "(?<!"'],
  ['P=', 'a backreference "(?P="'],
  ['(', 'a conditional group "(?("'],
  ['>', 'an atomic group "(?>"'],
];

/** Expects that the parenthesis has been read. No group captures, because the result is only whether the text matches. */
export function readGroupOpening(scanner: Scanner, flags: Flags, names: Set<string>): Opening {
  const isAtStart = scanner.position === 1;
  if (!scanner.take('?')) return { kind: 'group', source: '(?:', flags };
  for (const [sign, what] of UNSUPPORTED) {
    if (scanner.take(sign)) throw new RegexFault(`uses ${what}, which is not supported: it cannot be matched in linear time`);
  }
  if (scanner.take('#')) {
    if (scanner.takeUntil(')') === null) throw new RegexFault('is not a valid regular expression: a comment must be closed with ")"');
    return { kind: 'whole', source: '', flags };
  }
  if (scanner.take('P<')) {
    readName(scanner, names);
    return { kind: 'group', source: '(?:', flags };
  }
  return readFlags(scanner, flags, isAtStart);
}

function readName(scanner: Scanner, names: Set<string>): void {
  const name = scanner.takeUntil('>') ?? '';
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
    throw new RegexFault('is not a valid regular expression: the name of a group must be an identifier, as in "(?P<name>…)"');
  if (names.has(name)) throw new RegexFault(`is not a valid regular expression: only one group may be called "${name}"`);
  names.add(name);
}

const FLAG_NAMES: Readonly<Record<string, keyof Flags>> = { m: 'isMultiline', s: 'isDotAll', x: 'isVerbose', a: 'isAscii' };

/** `(?i)` at the start applies to the whole pattern, `(?i-s:…)` to its group. */
function readFlags(scanner: Scanner, flags: Flags, isAtStart: boolean): Opening {
  const on = scanner.takeWhile(/[aimsux]/);
  const off = scanner.take('-') ? scanner.takeWhile(/[imsx]/) : '';
  if (Array.from(on).some((letter) => off.includes(letter)))
    throw new RegexFault('is not a valid regular expression: a group must not turn the same flag on and off');
  const changed = { ...flags };
  for (const letter of on) if (FLAG_NAMES[letter] !== undefined) changed[FLAG_NAMES[letter]] = true;
  for (const letter of off) if (FLAG_NAMES[letter] !== undefined) changed[FLAG_NAMES[letter]] = false;
  if (on.includes('u')) changed.isAscii = false;
  const caseFlag = `${on.includes('i') ? 'i' : ''}${off.includes('i') ? '-i' : ''}`;
  if (scanner.take(':')) return { kind: 'group', source: `(?${caseFlag}:`, flags: changed };
  if (!scanner.take(')') || off !== '' || on === '')
    throw new RegexFault('is not a valid regular expression: "(?" must be followed by a known kind of group');
  if (!isAtStart) throw new RegexFault('is not a valid regular expression: flags for the whole pattern must stand at its start');
  return { kind: 'whole', source: caseFlag === '' ? '' : `(?${caseFlag})`, flags: changed };
}
