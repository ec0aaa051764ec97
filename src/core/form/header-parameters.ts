// Parses a header value with parameters, as in Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2183, 2). Lenient
// to old senders: an unquoted value may contain spaces, and a trailing semicolon is allowed.

export type HeaderParameters =
  | {
      fault: null;
      /** The text before the first semicolon, in lower case. */
      value: string;
      /** By name in lower case. */
      parameters: ReadonlyMap<string, string>;
    }
  /** The end of a sentence, as `names "filename" twice`. */
  | { fault: string };

// No two parts of a pattern can match the same blank, so that matching hostile text takes linear time.
const VALUE = /[ \t]*([^\s;="]*)[ \t]*(?=;|$)/y;
const PARAMETER = /;[ \t]*(?:([^\s;="]+)[ \t]*=(?:[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*|([^;"]*)))?(?=;|$)/sy;

export function readParameters(header: string): HeaderParameters {
  const value = matchAt(VALUE, header, 0)?.[1];
  if (value === undefined || value === '') return { fault: 'does not begin with a word that is followed by a semicolon or nothing' };
  const parameters = new Map<string, string>();
  for (let at = VALUE.lastIndex; at < header.length; at = PARAMETER.lastIndex) {
    const match = matchAt(PARAMETER, header, at);
    if (match === null) return { fault: `has a parameter that is malformed, at ${JSON.stringify(header.slice(at, at + 40))}` };
    const [, name, quoted, bare = ''] = match;
    if (name === undefined) continue;
    const key = name.toLowerCase();
    if (parameters.has(key)) return { fault: `names "${key}" twice` };
    parameters.set(key, quoted === undefined ? bare.trim() : unescapeQuoted(quoted));
  }
  return { fault: null, value: value.toLowerCase(), parameters };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A backslash before any other character is literal: senders on Windows write paths. */
function unescapeQuoted(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(["\\])/g, '$1') : text;
}
