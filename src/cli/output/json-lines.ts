// JSON laid out for people, straight from its text: numbers and strings stay as they were written, and a reader that has
// seen enough stops it, however deep or long the rest is.

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|\{\s*\}|\[\s*\]|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/** `text` must be valid JSON. */
export function* jsonLines(text: string): Generator<string> {
  let line = '';
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    switch (token) {
      case '{':
      case '[':
        yield line + token;
        depth += 1;
        line = '  '.repeat(depth);
        break;
      case '}':
      case ']':
        yield line;
        depth -= 1;
        line = '  '.repeat(depth) + token;
        break;
      case ',':
        yield `${line},`;
        line = '  '.repeat(depth);
        break;
      default:
        line += token === ':' ? ': ' : /^[{[]/.test(token) ? token.replaceAll(/\s/g, '') : token;
    }
  }
  yield line;
}
