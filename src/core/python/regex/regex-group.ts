// What stands after an opening parenthesis: a plain group, a named one, flags, a comment, or what RE2 cannot do.

import { RegexFault } from './regex-fault.ts';
import type { Scanner } from './regex-scanner.ts';

/** What RE2 is not left to do itself. */
export interface Flags {
  readonly isMultiline: boolean;
  readonly isDotAll: boolean;
  readonly isVerbose: boolean;
  readonly isAscii: boolean;
}

export type Opening =
  /** Opened, and to be closed. */
  | { kind: 'group'; source: string; flags: Flags }
  /** Over already. */
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

/** The parenthesis has been read. Groups capture nothing, for only whether something is found is asked. */
export function readGroupOpening(scanner: Scanner, flags: Flags, names: Set<string>): Opening {
  const isAtStart = scanner.position === 1;
  if (!scanner.take('?')) return { kind: 'group', source: '(?:', flags };
  for (const [sign, what] of UNSUPPORTED) {
    if (scanner.take(sign)) throw new RegexFault(`uses ${what}, which is not supported: it cannot be matched in linear time`);
  }
  if (scanner.take('#')) {
    if (scanner.takeUntil(')') === null) throw new RegexFault('is no valid regular expression: a comment is not closed with ")"');
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
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new RegexFault('is no valid regular expression: a group is called "(?P<name>…)"');
  if (names.has(name)) throw new RegexFault(`is no valid regular expression: two groups are called "${name}"`);
  names.add(name);
}

const FLAG_NAMES: Readonly<Record<string, keyof Flags>> = { m: 'isMultiline', s: 'isDotAll', x: 'isVerbose', a: 'isAscii' };

/** `(?i)` at the start counts for the whole pattern, `(?i-s:…)` for its group. */
function readFlags(scanner: Scanner, flags: Flags, isAtStart: boolean): Opening {
  const on = scanner.takeWhile(/[aimsux]/);
  const off = scanner.take('-') ? scanner.takeWhile(/[imsx]/) : '';
  if (Array.from(on).some((letter) => off.includes(letter)))
    throw new RegexFault('is no valid regular expression: a flag is turned on and off');
  const changed = { ...flags };
  for (const letter of on) if (FLAG_NAMES[letter] !== undefined) changed[FLAG_NAMES[letter]] = true;
  for (const letter of off) if (FLAG_NAMES[letter] !== undefined) changed[FLAG_NAMES[letter]] = false;
  if (on.includes('u')) changed.isAscii = false;
  const caseFlag = `${on.includes('i') ? 'i' : ''}${off.includes('i') ? '-i' : ''}`;
  if (scanner.take(':')) return { kind: 'group', source: `(?${caseFlag}:`, flags: changed };
  if (!scanner.take(')') || off !== '' || on === '')
    throw new RegexFault('is no valid regular expression: unknown kind of group after "(?"');
  if (!isAtStart) throw new RegexFault('is no valid regular expression: flags for all of it must stand at its start');
  return { kind: 'whole', source: caseFlag === '' ? '' : `(?${caseFlag})`, flags: changed };
}
