// Ways: which lead back follows from the document alone, and what is left of them leads nowhere in a circle.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planSteps } from '../../src/core/workflow/plan.ts';
import { planTransitions } from '../../src/core/workflow/transitions.ts';

interface Drawn {
  name: string;
  needs: string[];
  chooses: string[];
}

const plan = (steps: readonly Drawn[]) =>
  planTransitions(steps.map(({ name, needs, chooses }) => ({ name, needs: new Set(needs), chooses: new Set(chooses) })));
const step = (name: string, needs: string[] = [], chooses: string[] = []): Drawn => ({ name, needs, chooses });
const backEdges = (steps: readonly Drawn[]): string[] =>
  [...(plan(steps).loops?.backEdges ?? [])].flatMap(([name, targets]) => [...targets].map((target) => `${name}>${target}`));

describe('a way leads back', () => {
  const cases: [string, Drawn[], string[]][] = [
    ['to the step itself', [step('a', [], ['a'])], ['a>a']],
    ['to a step that it selects from', [step('a'), step('b', ['a'], ['a'])], ['b>a']],
    ['to one that it selects from through others', [step('a'), step('b', ['a']), step('c', ['b'], ['a'])], ['c>a']],
    ['to one that chooses it', [step('a', [], ['b']), step('b', [], ['a'])], ['b>a']],
    ['where the other one stands later in the document', [step('b', ['a'], ['a']), step('a')], ['b>a']],
    ['to a start that all is chosen from', [step('a', [], ['b']), step('b'), step('c', ['b'], ['a', 'd']), step('d')], ['c>a']],
    ['and not where the step depends on this one', [step('a', [], ['b']), step('b', ['a'])], []],
    ['and not between steps that have nothing to do with one another', [step('a', [], ['b']), step('b'), step('c', [], ['b'])], []],
    ['and not to a step that there is not', [step('a', [], ['x'])], []],
  ];
  for (const [what, steps, expected] of cases)
    test(what, () => {
      expect(backEdges(steps)).toEqual(expected);
    });
});

test('what is returned to runs anew with all that depends on it, by selectors and by ways that lead on', () => {
  const { loops, chosenBy } = plan([
    step('before'),
    step('start', ['before'], ['chosen']),
    step('chosen'),
    step('behind', ['chosen']),
    step('check', ['start'], ['start', 'end']),
    step('end'),
    step('aside', ['before']),
  ]);
  expect([...(loops?.bodies.get('start') ?? [])]).toEqual(['start', 'chosen', 'behind', 'check', 'end']);
  expect(Object.fromEntries(chosenBy)).toEqual({ chosen: ['start'], end: ['check'] });
});

/** Needs lead to earlier names only; ways lead anywhere; the document has them in any order. */
const anySteps = fc.integer({ min: 1, max: 40 }).chain((count) => {
  const names = Array.from({ length: count }, (_, index) => `s${index}`);
  const few = (from: string[]) => fc.subarray(from, { maxLength: Math.min(from.length, 4) });
  const steps = names.map((name, index) => fc.record({ name: fc.constant(name), needs: few(names.slice(0, index)), chooses: few(names) }));
  return fc.tuple(...steps).chain((list) => fc.shuffledSubarray(list, { minLength: count }));
});

test('without the ways back nothing waits for itself, and each of them closes a circle', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const { chosenBy, loops } = plan(steps);
      const waitsFor = new Map(steps.map(({ name, needs }) => [name, [...needs, ...(chosenBy.get(name) ?? [])]]));
      const above = (name: string, seen = new Set<string>()): Set<string> => {
        for (const other of waitsFor.get(name) ?? []) if (seen.size !== seen.add(other).size) above(other, seen);
        return seen;
      };
      for (const { name } of steps) expect(above(name)).not.toContain(name);
      for (const [name, targets] of loops?.backEdges ?? []) {
        for (const target of targets) {
          expect(name === target || above(name).has(target)).toBe(true);
          const body = steps.filter((other) => other.name === target || above(other.name).has(target));
          expect(loops?.bodies.get(target)).toEqual(new Set(body.map((other) => other.name)));
        }
      }
      const ways = steps.flatMap(({ name, chooses }) => chooses.map((chosen) => `${name}>${chosen}`)).length;
      const on = [...chosenBy.values()].flat().length;
      expect(on + backEdges(steps).length).toBe(ways);
    }),
    { numRuns: 300 },
  );
});

test('five hundred steps that all name one another are planned in a moment', { timeout: 60_000 }, () => {
  const names = Array.from({ length: 500 }, (_, index) => `s${index}`);
  const all = names.map((name) => `$steps.${name}`);
  const began = performance.now();
  const { loops } = planSteps(names.map((name) => ({ type: 't', name, on_success: all })));
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(loops?.backEdges.size).toBe(500);
});
