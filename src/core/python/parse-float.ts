// Python's `float(text)`: it accepts surrounding space, `_` between digits, `inf` and `nan`, and the digits of any script.

/** Null if the text is not a number. */
export function parseFloatText(text: string): number | null {
  const plain = withoutSpaceAround(text).replace(OTHER_DIGIT, asciiDigit).toLowerCase();
  const nonFinite = NON_FINITE.exec(plain);
  if (nonFinite !== null) return (nonFinite[2] as string).startsWith('n') ? Number.NaN : Number(`${nonFinite[1]}Infinity`);
  return DECIMAL.test(plain) ? Number(plain.replaceAll('_', '')) : null;
}

/** Python's whitespace; JavaScript's `\s` also includes the byte order mark. */
const SPACE = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;
const OTHER_DIGIT = /(?![0-9])\p{Nd}/gu;
const NON_FINITE = /^([+-]?)(inf(?:inity)?|nan)$/;
const DECIMAL = /^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/;
const DIGIT = /^\p{Nd}$/u;

/** Steps inwards from both ends: a regular expression would take quadratic time on many inner spaces. */
function withoutSpaceAround(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text.charAt(start))) start += 1;
  while (end > start && SPACE.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Unicode keeps the ten digits of a script together, and adjacent scripts follow without a gap. */
function asciiDigit(character: string): string {
  const code = character.codePointAt(0) as number;
  let first = code;
  while (DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return String((code - first) % 10);
}
