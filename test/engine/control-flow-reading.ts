// A second reading of which steps run, written from Roboflow's description of its engine and our documents, in the
// plainest way: no order, no scheduling, nothing of src. The engine must come to the same.
//
// - A step that selects from a step that did not run is skipped, and a block of Roboflow also where it selects null.
// - A step that `next_steps`, `cases` or `default_next_steps` name runs only if every step that names it selected it.
// - A step that transitions lead to (`on_success`, `on_failure`, edges of V7) runs only if one of them was taken.
// - A step that the run goes back to runs, and all that depends on it is decided again.

export type Step = { type: string; name: string } & Record<string, any>;

export interface Fate {
  status: 'completed' | 'skipped' | 'failed';
  outputs: Record<string, unknown>;
  selected: readonly string[];
}

const SKIPPED: Fate = { status: 'skipped', outputs: {}, selected: [] };

const nameIn = (reference: string): string => reference.split('.')[1] as string;
const namesIn = (references: unknown): string[] =>
  [references ?? []].flat(3).flatMap((one) => (typeof one === 'string' ? [nameIn(one)] : namesIn(Object.values(one as object))));

/** Of each step: whose selection it must have, by the step that selects. */
export const gateTargets = ({ next_steps: next, cases, default_next_steps: otherwise }: Step): string[] =>
  [next, Object.values(cases ?? {}), otherwise].flatMap(namesIn);
export const transitionTargets = ({ on_success: success, on_failure: failure, edges, else: otherwise, transitions }: Step): string[] =>
  [success, failure, (edges ?? []).map(({ next_steps: next }: { next_steps: string[] }) => next), otherwise, transitions].flatMap(namesIn);

/** Every `$steps.x.y` of the fields that take values. */
export function selectorsOf(value: unknown): string[] {
  if (typeof value === 'string') return /^\$steps\.[^.]+\./.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(selectorsOf) : [];
}

/** All that depends on a step, itself among them; `back` is the back edge, which makes nothing depend on anything. */
export function bodyOf(steps: readonly Step[], target: string, back: string): Set<string> {
  const body = new Set([target]);
  for (let size = 0; size !== body.size; ) {
    size = body.size;
    for (const step of steps) {
      if (selectorsOf(step).some((text) => body.has(nameIn(text)))) body.add(step.name);
      if (!body.has(step.name)) continue;
      for (const name of [...gateTargets(step), ...transitionTargets(step)]) if (name !== target || step.name !== back) body.add(name);
    }
  }
  return body;
}

/** `loop`: the step that sends the run back, once, and where to. */
export function readFates(
  steps: readonly Step[],
  inputs: Record<string, unknown>,
  loop: { sender: string; target: string } | null,
): Map<string, Fate> {
  const first = settle(steps, inputs, { visit: 1, loop, kept: new Map(), isForced: () => false });
  if (loop === null || !first.get(loop.sender)?.selected.includes(loop.target)) return first;
  const body = bodyOf(steps, loop.target, loop.sender);
  const kept = new Map([...first].filter(([name]) => !body.has(name)));
  return settle(steps, inputs, { visit: 2, loop, kept, isForced: (name) => name === loop.target });
}

interface Pass {
  visit: number;
  loop: { sender: string; target: string } | null;
  /** Fates that stand from the pass before. */
  kept: ReadonlyMap<string, Fate>;
  isForced: (name: string) => boolean;
}

function settle(steps: readonly Step[], inputs: Record<string, unknown>, { visit, loop, kept, isForced }: Pass): Map<string, Fate> {
  const fates = new Map(kept);
  const fateOf = (name: string): Fate => {
    const known = fates.get(name);
    if (known !== undefined) return known;
    const step = steps.find((one) => one.name === name) as Step;
    const fate = decide(step);
    fates.set(name, fate);
    return fate;
  };
  const resolve = (text: unknown): unknown => {
    if (typeof text !== 'string' || !text.startsWith('$')) return text;
    const [root, name, output] = text.split('.') as [string, string, string];
    return root === '$inputs' ? inputs[name] : (fateOf(name).outputs[output] ?? null);
  };
  const isBack = (step: Step, target: string): boolean => step.name === loop?.sender && target === loop.target;

  function decide(step: Step): Fate {
    const merges = step.type.includes('first_non_empty');
    const selectors = selectorsOf(step);
    for (const text of selectors) {
      const { status } = fateOf(nameIn(text));
      const takesError = selectors.every((other) => nameIn(other) !== nameIn(text) || other.endsWith('.error'));
      if (!merges && status !== 'completed' && !(status === 'failed' && takesError)) return SKIPPED;
    }
    if (!isForced(step.name) && !isSelected(step.name)) return SKIPPED;
    if (step.type.startsWith('roboflow_core/') && !merges && selectors.some((text) => resolve(text) === null)) return SKIPPED;
    return act(step, resolve, visit);
  }

  function isSelected(name: string): boolean {
    const gates = steps.filter((other) => gateTargets(other).includes(name));
    if (!gates.every((gate) => fateOf(gate.name).selected.includes(name))) return false;
    const transitions = steps.filter((other) => !gates.includes(other) && transitionTargets(other).includes(name) && !isBack(other, name));
    // In a loop, what led there from inside has to lead there again.
    const again = visit > 1 ? transitions.filter((chooser) => !kept.has(chooser.name)) : [];
    const counted = again.length > 0 ? again : transitions;
    return counted.length === 0 || counted.some((chooser) => fateOf(chooser.name).selected.includes(name));
  }

  for (const { name } of steps) fateOf(name);
  return fates;
}

/** As Python prints the values that are drawn. */
const PRINTED = new Map([
  ['null', 'None'],
  ['true', 'True'],
  ['["x"]', "['x']"],
]);
export const printed = (value: unknown): string =>
  typeof value === 'string' ? value : (PRINTED.get(JSON.stringify(value)) ?? JSON.stringify(value));

function act(step: Step, resolve: (text: unknown) => unknown, visit: number): Fate {
  const done = (outputs: Record<string, unknown>, own: string[] = []): Fate => ({
    status: 'completed',
    outputs,
    selected: [...own, ...namesIn(step['on_success'])],
  });
  switch (step.type) {
    case 'roboflow_core/continue_if@v1':
      return done({}, holds(step, resolve(step['evaluation_parameters'].v)) ? namesIn(step['next_steps']) : []);
    case 'roboflow_core/switch_case@v1': {
      const match = step['cases'][printed(resolve(step['value']))];
      return done({}, namesIn(match ?? step['default_next_steps']));
    }
    case 'roboflow_core/rate_limiter@v1':
    case 'sluice/delay@v1':
      return done({ seconds: 0 }, namesIn(step['next_steps']));
    case 'roboflow_core/first_non_empty_or_default@v1':
      return done({ output: step['data'].map(resolve).find((value: unknown) => value !== null) ?? step['default'] });
    case 'roboflow_core/property_definition@v1':
      return done({ output: resolve(step['data']) });
    case 'sluice/set@v1':
      return done({ output: resolve(step['values'].output) });
    case 'sluice/fail@v1':
      return { status: 'failed', outputs: { error: { code: 'failed', message: 'no' } }, selected: namesIn(step['on_failure']) };
    case 'v7/sampling_stage@v1': {
      const taken = step['edges'].filter(({ percent }: { percent: number }) => percent === 100);
      return done({}, taken.length === 0 ? namesIn(step['else']) : taken.flatMap((edge: Step) => namesIn(edge['next_steps'])));
    }
    case 'test/visit@v1':
      return done({ visit, reads: resolve(step['reads']) }, step['visits'][visit - 1].chosen);
    default:
      throw new Error(`nobody said what ${step.type} does`);
  }
}

function holds({ condition_statement: { statements } }: Step, value: unknown): boolean {
  const [{ operator, right_operand: right }] = statements;
  if (operator?.type === 'Exists') return value !== null;
  if (operator?.type === 'DoesNotExist') return value === null;
  // To Python, True is 1.
  const [one, other] = [value, right.value].map((compared) => JSON.stringify(compared === true ? 1 : compared));
  return one === other;
}
