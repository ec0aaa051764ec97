// Finds what was probably meant: known names that a wrong one is close to.

const MAX_LENGTH = 100;
const MAX_NAMES = 3;

/** The closest first; none for a name that is like nothing known. */
export function nearNames(wrong: string, known: readonly string[]): string[] {
  if (wrong.length > MAX_LENGTH) return [];
  return known
    .map((name) => ({ name, distance: Math.min(editDistance(wrong, name), editDistance(bareName(wrong), bareName(name))) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(bareName(wrong).length / 4)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_NAMES)
    .map(({ name }) => name);
}

/** `roboflow_core/webhook_sink@v1` and `WebhookSink` are both `webhooksink`. */
function bareName(name: string): string {
  return name
    .replace(/^.*\//, '')
    .replace(/@.*$/, '')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .toLowerCase();
}

/** Levenshtein: letters to add, take away or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (row[column - 1] as number) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
