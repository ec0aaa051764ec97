// Python's `repr` of a float: the shortest digits that parse to the same number, with an exponent from 1e16 and below 1e-4.

export function floatText(number: number): string {
  if (Number.isNaN(number)) return 'nan';
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf';
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0';
  const size = Math.abs(number);
  // In this range JavaScript writes the same digits without an exponent.
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(number) ? `${number}.0` : String(number);
  const [mantissa, exponent] = number.toExponential().split('e') as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
