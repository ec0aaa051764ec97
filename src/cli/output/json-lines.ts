// Pretty-prints JSON directly from its text: numbers and strings keep their spelling, and a reader can stop early, however
// deep or long the rest is.

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
