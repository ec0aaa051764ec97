// roboflow_core/switch_case@v1: runs the step whose case equals the value's text, else the default steps.

import type { Fault } from '../../core/fault.ts';
import { strOf } from '../../core/python/text.ts';
import { flag, literal, steps, stepsByName } from '../shared/property-schemas.ts';
import { readFlag } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { endBranch, runNext } from './parts/branch.ts';

interface SwitchCaseManifest {
  value: unknown;
  cases?: Readonly<Record<string, string>>;
  case_insensitive?: unknown;
  default_next_steps?: readonly string[];
}

export const switchCase: StepType<SwitchCaseManifest> = {
  type: 'roboflow_core/switch_case@v1',
  aliases: ['SwitchCase'],
  summary: 'Runs the step whose case matches a value.',
  properties: {
    value: literal('the value to match, compared as the text that Python writes: True, None, 1.0'),
    cases: stepsByName('the step to run for each case'),
    case_insensitive: flag('ignore upper and lower case', false),
    default_next_steps: steps('the steps to run if no case matches; without any, the branch ends'),
  },
  required: ['value'],
  ignoresUnknown: true,
  findFaults: ({ cases = {}, case_insensitive: isInsensitive = false, default_next_steps: defaults = [] }) => [
    ...repeatedTargets([...Object.values(cases), ...defaults]),
    ...(readFlag('case_insensitive', isInsensitive) ? collidingCases(Object.keys(cases)) : []),
  ],
  outputs: () => [],
  plan({ value, cases = {}, case_insensitive: isInsensitive = false, default_next_steps: defaults = [] }) {
    const fold = (text: string): string => (readFlag('case_insensitive', isInsensitive) ? text.toLowerCase() : text);
    const wanted = fold(strOf(value));
    const match = Object.entries(cases).find(([name]) => fold(name) === wanted);
    if (match !== undefined) return runNext([match[1]]);
    return defaults.length > 0 ? runNext(defaults) : endBranch();
  },
};

function repeatedTargets(targets: readonly string[]): Fault[] {
  const repeated = [...new Set(targets.filter((target, index) => targets.indexOf(target) !== index))].sort();
  if (repeated.length === 0) return [];
  const shown = repeated.map((target) => `'${target}'`).join(', ');
  const rule = 'Each step may be targeted at most once across `cases` and `default_next_steps`.';
  return [{ path: '', message: `${rule} Duplicated targets: [${shown}]` }];
}

function collidingCases(names: readonly string[]): Fault[] {
  const folded = new Set(names.map((name) => name.toLowerCase()));
  return folded.size === names.length
    ? []
    : [{ path: 'cases', message: '`cases` contains keys that collide when case_insensitive is enabled' }];
}
