// Parses selectors: `$inputs.x`, `$steps.a.b`, `$request.query["hub.challenge"]`. The first part names the root, the rest
// is a path of keys and array indexes. `$$` at the start of a string is a literal `$`.

export interface Selector {
  root: string;
  path: readonly string[];
}

export interface SelectorPart {
  key: string;
  /** `.key`, or `["key"]`, which is never joined with its neighbours. */
  written: string;
}

export interface WrittenSelector {
  root: string;
  parts: readonly SelectorPart[];
}

/** More than the maximum depth of a JSON body. */
const MAX_PARTS = 128;

const ROOT = /^\$([A-Za-z_]+)/;
/** Also bounds the cost of searching the end of a quoted key from every bracket. */
const MAX_LENGTH = 8192;

/** A bracket begins a quoted key only if the key is complete: `.a[b]` is the key `a[b]`, as in forms. */
const PART = /\.((?:[^.\s$[]|\[(?!(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]))+)|\[("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]/y;

export function isSelector(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('$') && !value.startsWith('$$');
}

/** Returns null when the text is no well-formed selector. */
export function readSelector(text: string): WrittenSelector | null {
  const root = ROOT.exec(text)?.[1];
  if (root === undefined || text.length > MAX_LENGTH) return null;
  const parts: SelectorPart[] = [];
  for (let at = root.length + 1; at < text.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const [written, bare, quoted] = PART.exec(text) ?? [];
    const key = bare ?? (quoted === undefined ? null : unquote(quoted));
    if (written === undefined || key === null || parts.length === MAX_PARTS) return null;
    parts.push({ key, written });
  }
  return { root, parts };
}

/** Accepts the escapes of JSON, and `\'`. */
function unquote(quoted: string): string | null {
  const inner = quoted.slice(1, -1);
  const text = quoted.startsWith("'")
    ? inner.replace(/\\.|"/gs, (found) => (found === "\\'" ? "'" : found === '"' ? '\\"' : found))
    : inner;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return null;
  }
}

export function isQuoted({ written }: SelectorPart): boolean {
  return written.startsWith('[');
}

/** Returns null when the text is no well-formed selector. */
export function parseSelector(text: string): Selector | null {
  const selector = readSelector(text);
  return selector === null ? null : { root: selector.root, path: selector.parts.map(({ key }) => key) };
}

/** Returns the step that `$steps.name` or `$steps.name.output` names, or null for any other text. */
export function selectedStep(text: string): string | null {
  const selector = parseSelector(text);
  return selector?.root === 'steps' ? (selector.path[0] ?? null) : null;
}

/** Whether the text names a step and none of its outputs (`$steps.b`), as control flow does. */
export function isStepReference(text: string): boolean {
  const selector = parseSelector(text);
  return selector?.root === 'steps' && selector.path.length === 1;
}

/**
 * Chains of operations and statements: Roboflow resolves no selectors in them, so that a regex may be `$`. Also inner
 * definitions, whose selectors belong to them.
 */
const LITERAL_PROPERTIES = /^(?:operations|.+_operations|condition_statement|switch|workflow_definition)$/;

/** Returns the properties of a step in which text that begins with `$` is a selector. */
export function bindableProperties(step: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(step).filter(([property]) => !LITERAL_PROPERTIES.test(property)));
}

/** Every selector text inside a value, at any depth. */
export function findSelectors(value: unknown): string[] {
  if (isSelector(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(findSelectors);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(findSelectors);
  return [];
}
