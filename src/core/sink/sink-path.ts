// Path patterns of sinks and paths of requests. Both are validated by the same rules, so that a stored pattern and a
// matched path cannot disagree.

const MAX_PATH_LENGTH = 2048;
const PARAM = /^:[A-Za-z_][A-Za-z0-9_]*$/;
const LITERAL = /^[^:*?#%\\\s\p{Cc}]+$/u;

/** Returns the canonical form of a pattern: in NFC, without one trailing slash. */
export function canonicalPattern(path: string): string {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return trimmed.normalize('NFC');
}

/** Two patterns with the same key match the same paths: parameter names do not matter. */
export function patternKey(pattern: string): string {
  return pattern
    .split('/')
    .map((segment) => (segment.startsWith(':') ? ':' : segment))
    .join('/');
}

/** Names of a pattern's parameters; `*` is the name of the wildcard. */
export function paramNames(pattern: string): string[] {
  return pattern.split('/').flatMap((segment) => (segment.startsWith(':') ? [segment.slice(1)] : segment === '*' ? ['*'] : []));
}

/** Returns the fault of a sink's path pattern, or null when it is valid. */
export function patternFault(path: string): string | null {
  if (!path.startsWith('/')) return 'must start with "/"';
  if (path.length > MAX_PATH_LENGTH) return `must be at most ${MAX_PATH_LENGTH} characters`;
  const segments = canonicalPattern(path).split('/').slice(1);
  if (path === '/') return null;
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const fault = segmentFault(segment, index === segments.length - 1);
    if (fault !== null) return fault;
    if (segment.startsWith(':') && names.size === names.add(segment).size) return `parameter "${segment}" appears twice`;
  }
  return null;
}

function segmentFault(segment: string, isLast: boolean): string | null {
  if (segment === '') return 'must not hold an empty segment ("//")';
  if (segment === '.' || segment === '..') return 'must not hold "." or ".." as a segment';
  if (segment === '*') return isLast ? null : '"*" may only be the last segment';
  if (segment.startsWith(':'))
    return PARAM.test(segment) ? null : `"${segment}" is not a parameter; write ":name" with letters, digits and "_"`;
  return LITERAL.test(segment)
    ? null
    : `segment "${segment}" holds a character that a path pattern cannot: one of : * ? # % \\ or white space`;
}

const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;

/** Returns why a request path is malformed, or null. `path` is the raw path without the query. */
export function requestPathFault(path: string): string | null {
  // When the route prefix itself is percent-encoded (`/s%69nk/…`), the path is cut inside the encoding.
  if (!path.startsWith('/')) return 'the path does not start with "/"';
  if (path.length > MAX_PATH_LENGTH * 2) return 'the path is too long';
  if (path.includes('#')) return 'the path holds a "#"; write it as %23';
  if (!path.includes('%')) return plainPathFault(path);
  if (/%(?:2f|5c)/i.test(path)) return 'the path holds an encoded slash';
  try {
    return plainPathFault(decodeURIComponent(path));
  } catch {
    if (BROKEN_ESCAPE.test(path)) return 'the path holds a broken percent-encoding; write "%" as %25';
    return 'the path is not UTF-8 text once its percent-encoding is undone';
  }
}

function plainPathFault(path: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'the path holds a control character';
  if (path.includes('\\')) return 'the path holds a backslash';
  if (path.includes('/.') && /\/\.{1,2}(?:\/|$)/.test(path)) return 'the path holds "." or ".." as a segment';
  return null;
}
