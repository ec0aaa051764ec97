// Suggests known names that are close to a misspelt one.

const MAX_LENGTH = 100;
const MAX_NAMES = 3;

/** Returns the end of a message about a wrong name: the suggestions, and the list `all`. */
export function suggestNames(wrong: string, known: readonly string[], all = known.join(', ')): string {
  const near = similarNames(wrong, known);
  return near.length === 0 ? `; known are ${all}` : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}? Known are ${all}`;
}

/** Splits a message about a wrong name from the suggestions at its end; null without any. */
export function splitSuggestion(message: string): { message: string; hint: string | null } {
  const at = Math.max(message.lastIndexOf('; did you mean '), message.lastIndexOf('; known are '));
  return at === -1 ? { message, hint: null } : { message: message.slice(0, at), hint: message.slice(at + 2) };
}

/** Closest first; empty when no known name is similar. */
export function similarNames(wrong: string, known: readonly string[]): string[] {
  if (wrong.length > MAX_LENGTH) return [];
  return known
    .map((name) => ({ name, distance: isPartOf(wrong, name) ? 1 : distanceOf(wrong, name) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(bareName(wrong).length / 4)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_NAMES)
    .map(({ name }) => name);
}

/** `token` of `auth_token`, `workflow` of `workflow_id`. */
function isPartOf(wrong: string, name: string): boolean {
  return wrong !== '' && (name.startsWith(`${wrong}_`) || name.endsWith(`_${wrong}`));
}

function distanceOf(wrong: string, name: string): number {
  return Math.min(editDistance(wrong, name), editDistance(bareName(wrong), bareName(name)));
}

/** `roboflow_core/webhook_sink@v1` and `WebhookSink` are both `webhooksink`. */
function bareName(name: string): string {
  return name
    .replace(/^.*\//, '')
    .replace(/@.*$/, '')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .toLowerCase();
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let index = 0; index < a.length; index += 1) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (row[column - 1] as number) + (a[index] === b[column - 1] ? 0 : 1);
      const isSwapped = index > 0 && column > 1 && a[index] === b[column - 2] && a[index - 1] === b[column - 1];
      const swapped = isSwapped ? (before[column - 2] as number) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    [before, row] = [row, next];
  }
  return row.at(-1) as number;
}
