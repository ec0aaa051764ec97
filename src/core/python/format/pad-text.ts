// Pads text as Python's formatting does, counted in code points.

/** Centring puts the odd fill character on the right. */
export function padText(text: string, fill: string, align: '<' | '>' | '^', width: number): string {
  const missing = width <= 0 ? 0 : Math.max(0, width - Array.from(text).length);
  const before = align === '<' ? 0 : align === '>' ? missing : Math.floor(missing / 2);
  return fill.repeat(before) + text + fill.repeat(missing - before);
}
