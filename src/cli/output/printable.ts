// Escapes foreign text for a terminal, which would otherwise execute its escape sequences and direction overrides.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
const UNSAFE = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Returns one line, with readable escapes for control characters. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => SHORT[character] ?? escapeUnicode(character));
}

/** Returns equivalent JSON text. Keeps line feeds and spaces between values; C0 in strings is escaped already. */
export function printableJson(json: string): string {
  return json.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escapeUnicode(character)));
}

/** For lines of JSON or CSV: keeps line ends. */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character, at: number) => {
    const endsLine = character === '\n' || (character === '\r' && text[at + 1] === '\n');
    return endsLine ? character : escapeUnicode(character);
  });
}

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
