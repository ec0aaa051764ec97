// The characters of Python's `\d`, `\w` and `\s` as items of an RE2 class. RE2's own classes contain only ASCII.

/** Noncharacters of Unicode that mark word boundaries in a text. */
export const boundaryMarks = { boundary: '\u{10fffe}', elsewhere: '\u{10ffff}' } as const;
export const MARKS = '\\x{10fffe}\\x{10ffff}';

export const WORD = /[\p{L}\p{N}_]/u;

export interface CharacterSet {
  items: string;
  /** All other characters, except the marks and unassigned code points: for `\D` inside a class. */
  otherItems: string;
}

const CONTROLS_AND_FORMATS = '\\p{Cf}\\p{Co}\\p{Cs}';
const CONNECTORS_BUT_UNDERSCORE = '\\x{203f}\\x{2040}\\x{2054}\\x{fe33}\\x{fe34}\\x{fe4d}-\\x{fe4f}\\x{ff3f}';
const LAST = '\\x{10fffd}';

const UNICODE_SETS: Readonly<Record<string, CharacterSet>> = {
  d: { items: '\\p{Nd}', otherItems: `\\p{L}\\p{M}\\p{P}\\p{S}\\p{Z}\\p{Cc}${CONTROLS_AND_FORMATS}\\p{Nl}\\p{No}` },
  w: {
    items: '\\p{L}\\p{N}_',
    otherItems: `\\p{M}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}${CONNECTORS_BUT_UNDERSCORE}\\p{S}\\p{Z}\\p{Cc}${CONTROLS_AND_FORMATS}`,
  },
  s: {
    items: '\\t-\\r\\x1c-\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}',
    otherItems: `\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}${CONTROLS_AND_FORMATS}\\x00-\\x08\\x0e-\\x1b\\x7f-\\x{84}\\x{86}-\\x{9f}`,
  },
};

const ASCII_SETS: Readonly<Record<string, CharacterSet>> = {
  d: { items: '0-9', otherItems: `\\x00-/:-${LAST}` },
  w: { items: '0-9A-Za-z_', otherItems: `\\x00-/:-@\\[-\\^\`{-${LAST}` },
  s: { items: '\\t-\\r ', otherItems: `\\x00-\\x08\\x0e-\\x1f!-${LAST}` },
};

/** The set for the letter of `\d`, `\w`, `\s` or their negations; undefined for other letters. */
export function characterSet(letter: string, isAscii: boolean): CharacterSet | undefined {
  const sets = isAscii ? ASCII_SETS : UNICODE_SETS;
  const name = letter.toLowerCase();
  return Object.hasOwn(sets, name) ? sets[name] : undefined;
}
