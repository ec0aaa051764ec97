// Selectors: the text `$inputs.x`, `$steps.a.b`, `$request.query.user`, taken apart. The first part names the
// root, the rest a path of keys and array positions. `$$` at the start of a string stands for a literal `$`.

export interface Selector {
  root: string;
  path: readonly string[];
}

const SELECTOR = /^\$([A-Za-z_]+)((?:\.[^.\s$]+)*)$/;

export function isSelector(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('$') && !value.startsWith('$$');
}

/** Returns null when the text is no well-formed selector. */
export function parseSelector(text: string): Selector | null {
  const match = SELECTOR.exec(text);
  if (match === null) return null;
  return { root: match[1] as string, path: (match[2] as string).split('.').slice(1) };
}

/** The step that `$steps.name` or `$steps.name.output` speaks of, or null for any other text. */
export function selectedStep(text: string): string | null {
  const selector = parseSelector(text);
  return selector?.root === 'steps' ? (selector.path[0] ?? null) : null;
}

/** Whether the text names a step and none of its outputs (`$steps.b`), as control flow does. */
export function isStepReference(text: string): boolean {
  const selector = parseSelector(text);
  return selector?.root === 'steps' && selector.path.length === 1;
}

/** Chains of operations and statements: Roboflow lets nothing in them be selected, so that a regex may be `$`. */
const TAKEN_AS_WRITTEN = /^(?:operations|.+_operations|condition_statement|switch)$/;

/** The properties of a step in which text that begins with `$` is a selector. */
export function bindableProperties(step: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(step).filter(([property]) => !TAKEN_AS_WRITTEN.test(property)));
}

/** Every selector text inside a value, at any depth. */
export function findSelectors(value: unknown): string[] {
  if (isSelector(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(findSelectors);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(findSelectors);
  return [];
}
