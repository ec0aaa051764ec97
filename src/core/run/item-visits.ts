// Names and visits of the steps that run for each item of a list. For item n of `a`, which is counted over all its visits, the
// step `b` is recorded as visit n of `a[].b`, and the end of the item as visit n of `a[]`. No author can write such names.

const MARK = '[]';

/** A stored visit of a step. */
interface Visit {
  step: string;
  visit: number;
}

export function itemName(forEach: string): string {
  return `${forEach}${MARK}`;
}

export function nameInItem(forEach: string, step: string): string {
  return `${forEach}${MARK}.${step}`;
}

/** Whether it is the name of an item, or of a step in an item. */
export function isOfItem(name: string): boolean {
  return name.includes(MARK);
}

/** Whether it is the name of an item itself. */
export function isItem(name: string): boolean {
  return name.endsWith(MARK);
}

/** The step of the workflow itself to which the name belongs. */
export function outermostStep(name: string): string {
  const end = name.indexOf(MARK);
  return end === -1 ? name : name.slice(0, end);
}

/** The first visit that a visit of a for_each step gives its items. */
export function firstItemVisit(visit: number, maxItems: number): number {
  return (visit - 1) * maxItems + 1;
}

/**
 * Returns the visits that a run goes on with: the last ones of its steps, and what its open for_each steps need: the ends of
 * their items, and the visits of the items that have not ended.
 */
export function visitsToResume<Stored extends Visit>(visits: readonly Stored[], isOpen: (visit: Stored) => boolean): Stored[] {
  const last = new Map<string, Stored>();
  const ofItems: Stored[] = [];
  for (const visit of visits) {
    if (isOfItem(visit.step)) ofItems.push(visit);
    else if (visit.visit >= (last.get(visit.step)?.visit ?? 1)) last.set(visit.step, visit);
  }
  return ofItems.length === 0 ? [...last.values()] : [...last.values(), ...neededOfItems(visits, ofItems, isOpen)];
}

function neededOfItems<Stored extends Visit>(
  visits: readonly Stored[],
  ofItems: readonly Stored[],
  isOpen: (visit: Stored) => boolean,
): Stored[] {
  const open = new Set(visits.filter(isOpen).map(({ step }) => step));
  const ended = new Set(ofItems.filter(({ step }) => isItem(step)).map(keyOf));
  return ofItems.filter(({ step, visit }) => {
    const item = step.slice(0, step.lastIndexOf(MARK) + MARK.length);
    return step === item ? open.has(step.slice(0, -MARK.length)) : !ended.has(keyOf({ step: item, visit }));
  });
}

/** A name of its own for each visit of the steps of a run. */
export function keyOf({ step, visit }: Visit): string {
  return visit === 1 ? step : `${step} ${visit}`;
}
