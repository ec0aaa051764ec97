// Compares the output in a document with the real output. Values that differ between runs are masked in both.

const MASKS: readonly [RegExp, string][] = [
  // A stream that waits for its run begins with one.
  [/^: heartbeat\n\n/gm, ''],
  [/\r/g, ''],
  // Printed if a checkout was edited since `npm ci`.
  [/^sluice: src has changed since dist was emitted.*\n/gm, ''],
  [/run_[0-9a-hjkmnp-tv-z]{31}/g, '<run>'],
  [/dlv_[0-9a-hjkmnp-tv-z]{31}_\d+/g, '<delivery>'],
  [/snk_[0-9a-f]{16}/g, '<sink>'],
  [/req_[0-9a-z]{8,}/g, '<request>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/"received_at":\d{13}/g, '"received_at":<time>'],
  [/^Date: .*$/gm, 'Date: <time>'],
  [/\b\d+\.\d\d s\b/g, '<duration>'],
  [/(?:localhost|127\.0\.0\.1):\d{4,5}/g, '<address>'],
  [/(?<![\w-])[\w-]{43}(?![\w-])/g, '<token>'],
];

export function masked(text: string): string {
  return MASKS.reduce((result, [pattern, name]) => result.replace(pattern, name), text).trimEnd();
}

/** JSON text without the white space between its values, so that a document may break its lines. */
function compactJson(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}

/** In a document `…` stands for any text of its line, and alone on a line for any lines. */
export function isShown(language: string, shown: string, real: string): boolean {
  const normal = (text: string): string => (language === 'json' ? compactJson(masked(text)) : masked(text));
  const pattern = normal(shown)
    .split(/(^…\n|\n…$|…)/m)
    .map((part) => {
      if (part === '…') return '.*';
      if (part === '…\n') return '(?:.*\\n)*';
      return part === '\n…' ? '(?:\\n.*)*' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${pattern}$`).test(normal(real));
}
