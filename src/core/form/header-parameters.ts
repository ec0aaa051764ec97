// A header value with parameters, as Content-Type and Content-Disposition have them (RFC 2045, 5.1; RFC 2183, 2). What
// old senders write is understood too: a value without quotes may hold spaces, a semicolon may stand at the end.

export type HeaderParameters =
  | {
      fault: null;
      /** What stands before the first semicolon, in lower case. */
      value: string;
      /** By name in lower case. */
      parameters: ReadonlyMap<string, string>;
    }
  /** What is wrong, as `names "filename" twice`. */
  | { fault: string };

// No two parts of a pattern can match the same blank, so that hostile text costs no more than its length.
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

/** A backslash before anything else is itself: senders on Windows write paths. */
function unescapeQuoted(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(["\\])/g, '$1') : text;
}
