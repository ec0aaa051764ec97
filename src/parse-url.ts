// Parses URLs. In place of URL.canParse, which on Node 20 refuses every URL with a letter such as "ü" once V8 has optimized it.

/** Null for a text that is no URL. */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
