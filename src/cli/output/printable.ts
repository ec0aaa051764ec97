// Text that came from elsewhere, made safe to show: a terminal obeys escape sequences and overrides of direction,
// whoever wrote them.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
const UNSAFE = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** On one line, each control character as an escape that can be read. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => SHORT[character] ?? escapeUnicode(character));
}

/** JSON text that means the same. Line feeds and spaces between values stay; inside a string JSON has escaped C0 already. */
export function printableJson(json: string): string {
  return json.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escapeUnicode(character)));
}

/** Lines of JSON or CSV: their ends stay, as a terminal takes them. */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character, at: number) => {
    const endsLine = character === '\n' || (character === '\r' && text[at + 1] === '\n');
    return endsLine ? character : escapeUnicode(character);
  });
}

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
