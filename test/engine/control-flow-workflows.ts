// Draws workflows of control steps: nested ones, several that name one step, cases that name one twice, data that
// depends on what may be skipped, and transitions, failures and a loop among them.

import fc from 'fast-check';
import { printed, type Step } from './control-flow-reading.ts';

export interface DrawnWorkflow {
  steps: Step[];
  inputs: Record<string, unknown>;
  loop: { sender: string; target: string } | null;
}

const VALUES = [null, 'car', 'b', 2, true, ['x']];
const value = fc.constantFrom(...VALUES);

/** Which output of a step of each kind others may select. */
const OUTPUT: Record<string, string | undefined> = {
  first: 'output',
  property: 'output',
  set: 'output',
  fail: 'error',
  failed_value: 'attempts',
  delay: 'seconds',
  start: 'visit',
  sender: 'reads',
};

const KINDS = [
  'continue_if',
  'continue_if',
  'switch',
  'switch',
  'limiter',
  'delay',
  'first',
  'property',
  'set',
  'fail',
  'failed_value',
  'edges',
];

const drawnStep = fc.record({
  kind: fc.constantFrom(...KINDS),
  data: fc.array(fc.nat(99), { minLength: 2, maxLength: 3 }),
  targets: fc.array(fc.nat(99), { maxLength: 3 }),
  transitions: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(99), { minLength: 1, maxLength: 2 }) },
  ),
  literal: value,
  choice: fc.nat(3),
});
const someTransitions = fc.array(fc.nat(99), { maxLength: 2 });
type Drawn = typeof drawnStep extends fc.Arbitrary<infer T> ? T : never;

export const anyControlFlow: fc.Arbitrary<DrawnWorkflow> = fc
  .record({
    drawn: fc.array(drawnStep, { minLength: 3, maxLength: 9 }),
    inputs: fc.record({ a: value, b: value, c: value }),
    sends: fc.option(
      fc.record({
        from: fc.nat(99),
        to: fc.nat(99),
        on: fc.tuple(someTransitions, someTransitions).map((transitions) => [...transitions]),
      }),
      {
        nil: null,
      },
    ),
  })
  .chain(({ drawn, inputs, sends }) => {
    const loop = sends === null ? null : closeLoop(drawn.length, sends);
    const kindOf = (place: number, kind: string): string => (place === loop?.to ? 'start' : place === loop?.from ? 'sender' : kind);
    const kinds = drawn.map((one, place) => ({ ...one, kind: kindOf(place, one.kind) }));
    const steps = kinds.map((_, place) => loop?.steps.get(place) ?? build(kinds, place));
    return fc.record({
      steps: fc.shuffledSubarray(steps, { minLength: steps.length }),
      inputs: fc.constant(inputs),
      loop: fc.constant(loop === null ? null : { sender: `s${loop.from}`, target: `s${loop.to}` }),
    });
  });

/** Steps select from earlier ones and lead to later ones. */
function build(drawn: readonly Drawn[], place: number): Step {
  const one = drawn[place] as Drawn;
  const name = `s${place}`;
  const later = drawn.slice(place + 1).map((_, index) => `$steps.s${place + 1 + index}`);
  const pick = (places: readonly number[]): string[] => places.flatMap((at) => later[at % later.length] ?? []);
  const sources = drawn
    .slice(0, place)
    .flatMap(({ kind }, index) => (OUTPUT[kind] === undefined ? [] : [`$steps.s${index}.${OUTPUT[kind]}`]));
  const selectable = ['$inputs.a', '$inputs.b', '$inputs.c', ...sources, ...sources];
  const [data = '', other = ''] = one.data.map((at) => selectable[at % selectable.length] as string);
  const targets = [...new Set(pick(one.targets))];
  // Named as they were drawn, some twice.
  const nextSteps = one.choice === 0 ? pick(one.targets) : targets;
  const onSuccess = pick(one.transitions).length === 0 ? {} : { on_success: [...new Set(pick(one.transitions))] };
  const named = (type: string, fields: object): Step => ({ type, name, ...fields, ...onSuccess });
  switch (one.kind) {
    case 'continue_if': {
      const condition = { type: 'StatementGroup', statements: [statement(one)] };
      return named('roboflow_core/continue_if@v1', {
        condition_statement: condition,
        evaluation_parameters: { v: data },
        next_steps: nextSteps,
      });
    }
    case 'switch':
      return named('roboflow_core/switch_case@v1', { value: data, ...cases(one, pick(one.targets)) });
    case 'limiter':
      return named('roboflow_core/rate_limiter@v1', { cooldown_seconds: 0, depends_on: data, next_steps: targets });
    case 'delay':
      return named('sluice/delay@v1', { seconds: 0, next_steps: targets });
    case 'first':
      return named('roboflow_core/first_non_empty_or_default@v1', { data: [data, other], default: one.literal ?? 'none' });
    case 'property':
      return named('roboflow_core/property_definition@v1', { data, operations: [] });
    case 'edges': {
      const edges = targets
        .slice(0, 2)
        .map((target, index) => ({ percent: (one.choice >> index) % 2 === 0 ? 0 : 100, next_steps: [target] }));
      return {
        type: 'v7/sampling_stage@v1',
        name,
        mode: 'independent',
        edges: edges.length === 0 ? [{ percent: 0, next_steps: [] }] : edges,
        else: targets.slice(2),
      };
    }
    case 'fail':
    case 'failed_value':
      // Where a failure leads nowhere it would end the run.
      if (later.length > 0) return { type: 'sluice/fail@v1', name, message: 'no', on_failure: targets.length === 0 ? [later[0]] : targets };
      return named('sluice/set@v1', { values: { output: data, error: 1, attempts: 1 } });
    default:
      return named('sluice/set@v1', { values: { output: data } });
  }
}

function statement({ choice, literal }: Drawn): object {
  const operand = { type: 'DynamicOperand', operand_name: 'v' };
  if (choice === 0) return { type: 'UnaryStatement', operand, operator: { type: 'Exists' } };
  if (choice === 1) return { type: 'UnaryStatement', operand, operator: { type: 'DoesNotExist' } };
  return {
    type: 'BinaryStatement',
    left_operand: operand,
    comparator: { type: '==' },
    right_operand: { type: 'StaticOperand', value: literal },
  };
}

/** A target that was drawn twice stands in two cases, or in a case and among the default ones. */
function cases({ literal, choice }: Drawn, targets: readonly string[]): object {
  const [first, second, ...rest] = choice === 0 ? targets : new Set(targets);
  const named = [[printed(literal), first] as const, ['2', second] as const].filter(([, target]) => target !== undefined);
  return { cases: Object.fromEntries(named), default_next_steps: rest };
}

interface ClosedLoop {
  from: number;
  to: number;
  /** By place. */
  steps: ReadonlyMap<number, Step>;
}

/** A step that sends the run back once, to an earlier one from which it selects, and then takes other transitions. */
function closeLoop(count: number, { from: last, to: first, on }: { from: number; to: number; on: readonly number[][] }): ClosedLoop {
  const from = 1 + (last % (count - 1));
  const to = first % from;
  const visits = (place: number, transitions: readonly number[][]): string[][] =>
    transitions.map((targets) => [
      ...new Set(targets.flatMap((at) => (place + 1 < count ? `s${place + 1 + (at % (count - place - 1))}` : []))),
    ]);
  const step = (place: number, chosen: readonly string[][], fields: object): Step => ({
    type: 'test/visit@v1',
    name: `s${place}`,
    transitions: [...new Set(chosen.flat())].map((name) => `$steps.${name}`),
    visits: chosen.map((names) => ({ chosen: names })),
    ...fields,
  });
  const [, onward = []] = visits(from, on);
  return {
    from,
    to,
    steps: new Map([
      [to, step(to, visits(to, on), {})],
      [from, step(from, [[`s${to}`], onward], { reads: `$steps.s${to}.visit` })],
    ]),
  };
}
