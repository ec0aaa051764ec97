// Ways: the steps that a step may choose to run next. Most lead on. Ways are taken in the order of the document, after
// all that is selected, and one that would close a circle with those before it leads back: the run returns to that step.

import type { JsonSchema } from '../schema.ts';
import type { StepLinks } from './links.ts';

const DEFAULT_MAX_VISITS = 6;

export const maxVisitsSchema: JsonSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 100,
  default: DEFAULT_MAX_VISITS,
  description: 'how often ways may lead to the step, its first visit counted',
};

/** Reads a manifest's `max_visits`, which fits its schema. */
export function readMaxVisits(manifest: unknown): number {
  return Number(manifest ?? DEFAULT_MAX_VISITS);
}

/** Where the ways of a workflow lead back. */
export interface Loops {
  /** By step that may send the run back: to which steps. */
  readonly backs: ReadonlyMap<string, ReadonlySet<string>>;
  /** By step that is returned to: itself and all that depend on it, by what they select or by ways that lead on. */
  readonly bodies: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface PlannedWays {
  /** By step: those that may choose it by a way that leads on, in the order of the document. */
  chosenBy: ReadonlyMap<string, readonly string[]>;
  /** Null where no way leads back. */
  loops: Loops | null;
}

/** A choice of a step that there is not leads nowhere. */
export function planWays(steps: readonly Pick<StepLinks, 'name' | 'needs' | 'chooses'>[]): PlannedWays {
  if (steps.every(({ chooses }) => chooses.size === 0)) return { chosenBy: new Map(), loops: null };
  const places = new Map(steps.map(({ name }, place) => [name, place]));
  const dependents = new Dependents(steps.length);
  for (const [place, { needs }] of steps.entries()) {
    for (const name of needs) dependents.add(places.get(name) ?? place, place);
  }
  const chosenBy = new Map<string, string[]>();
  const backs = new Map<string, Set<string>>();
  for (const [place, { name, chooses }] of steps.entries()) {
    for (const chosen of chooses) {
      const target = places.get(chosen);
      if (target === undefined) continue;
      if (target === place || dependents.has(target, place)) backs.set(name, (backs.get(name) ?? new Set()).add(chosen));
      else {
        dependents.add(place, target);
        const choosers = chosenBy.get(chosen) ?? [];
        if (choosers.length === 0) chosenBy.set(chosen, choosers);
        choosers.push(name);
      }
    }
  }
  if (backs.size === 0) return { chosenBy, loops: null };
  const bodies = new Map<string, Set<string>>();
  for (const target of new Set([...backs.values()].flatMap((targets) => [...targets]))) {
    const start = places.get(target) as number;
    const body = steps.filter((_, place) => place === start || dependents.has(start, place));
    bodies.set(target, new Set(body.map(({ name }) => name)));
  }
  return { chosenBy, loops: { backs, bodies } };
}

/** Which steps depend on which, directly or through others: a row of bits for each, kept whole with every link. */
class Dependents {
  readonly #count: number;
  /** Words of a row. */
  readonly #width: number;
  readonly #bits: Uint32Array;

  constructor(count: number) {
    this.#count = count;
    this.#width = Math.ceil(count / 32);
    this.#bits = new Uint32Array(count * this.#width);
  }

  has(from: number, to: number): boolean {
    return (((this.#bits[from * this.#width + (to >>> 5)] as number) >>> (to & 31)) & 1) === 1;
  }

  add(from: number, to: number): void {
    if (from === to || this.has(from, to)) return;
    for (let place = 0; place < this.#count; place += 1) {
      if ((place === from || this.has(place, from)) && !this.has(place, to)) this.#adopt(place, to);
    }
  }

  /** What depends on the other one depends on this one too. */
  #adopt(place: number, other: number): void {
    const bits = this.#bits;
    const start = place * this.#width;
    const from = other * this.#width;
    for (let word = 0; word < this.#width; word += 1) bits[start + word] = (bits[start + word] as number) | (bits[from + word] as number);
    const own = start + (other >>> 5);
    bits[own] = (bits[own] as number) | (1 << (other & 31));
  }
}
