// Transitions: the steps that a step may choose to run next. They are added in the order of the document, after all data
// dependencies. A transition that would close a cycle with the earlier ones is a back edge: it makes a loop.

import type { JsonSchema } from '../schema.ts';
import type { StepLinks } from './links.ts';

const DEFAULT_MAX_VISITS = 6;

export const maxVisitsSchema: JsonSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 100,
  default: DEFAULT_MAX_VISITS,
  description: 'how often transitions may lead to the step, its first visit counted',
};

/** Reads a manifest's `max_visits`, which fits its schema. */
export function readMaxVisits(manifest: unknown): number {
  return Number(manifest ?? DEFAULT_MAX_VISITS);
}

/** The back edges of a workflow, and the steps that they repeat. */
export interface Loops {
  /** By step: the first steps of the loops that it may restart. */
  readonly backEdges: ReadonlyMap<string, ReadonlySet<string>>;
  /** By first step of a loop: itself and all steps that depend on it, by data or by forward transitions. */
  readonly bodies: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface PlannedTransitions {
  /** By step: the steps that may choose it by a forward transition, in the order of the document. */
  chosenBy: ReadonlyMap<string, readonly string[]>;
  /** Null if the workflow has no loops. */
  loops: Loops | null;
}

/** Ignores a transition to an unknown step. */
export function planTransitions(steps: readonly Pick<StepLinks, 'name' | 'needs' | 'chooses'>[]): PlannedTransitions {
  if (steps.every(({ chooses }) => chooses.size === 0)) return { chosenBy: new Map(), loops: null };
  const indexes = new Map(steps.map(({ name }, index) => [name, index]));
  const dependents = new Dependents(steps.length);
  for (const [index, { needs }] of steps.entries()) {
    for (const name of needs) dependents.add(indexes.get(name) ?? index, index);
  }
  const chosenBy = new Map<string, string[]>();
  const backEdges = new Map<string, Set<string>>();
  for (const [index, { name, chooses }] of steps.entries()) {
    for (const chosen of chooses) {
      const target = indexes.get(chosen);
      if (target === undefined) continue;
      if (target === index || dependents.has(target, index)) backEdges.set(name, (backEdges.get(name) ?? new Set()).add(chosen));
      else {
        dependents.add(index, target);
        const choosers = chosenBy.get(chosen) ?? [];
        if (choosers.length === 0) chosenBy.set(chosen, choosers);
        choosers.push(name);
      }
    }
  }
  if (backEdges.size === 0) return { chosenBy, loops: null };
  const bodies = new Map<string, Set<string>>();
  for (const target of new Set([...backEdges.values()].flatMap((targets) => [...targets]))) {
    const start = indexes.get(target) as number;
    const body = steps.filter((_, index) => index === start || dependents.has(start, index));
    bodies.set(target, new Set(body.map(({ name }) => name)));
  }
  return { chosenBy, loops: { backEdges, bodies } };
}

/** Transitive dependencies between steps: a bit row per step, updated with every edge. */
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
    for (let index = 0; index < this.#count; index += 1) {
      if ((index === from || this.has(index, from)) && !this.has(index, to)) this.#adopt(index, to);
    }
  }

  /** Dependents of `other` become dependents of `index` too. */
  #adopt(index: number, other: number): void {
    const bits = this.#bits;
    const start = index * this.#width;
    const from = other * this.#width;
    for (let word = 0; word < this.#width; word += 1) bits[start + word] = (bits[start + word] as number) | (bits[from + word] as number);
    const own = start + (other >>> 5);
    bits[own] = (bits[own] as number) | (1 << (other & 31));
  }
}
