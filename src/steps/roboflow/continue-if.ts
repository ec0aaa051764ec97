// roboflow_core/continue_if@v1: lets a branch run while a condition is true, and for a period after.

import { nestFaults } from '../../core/fault.ts';
import { evaluateStatementGroup, statementGroupFaults } from '../../core/uql/statements/statement-group.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { number, selectors, statementGroup, steps } from '../shared/property-schemas.ts';
import { readNumber } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { endBranch, runNext } from './parts/branch.ts';
import { operationContext, type Values } from './parts/named-operations.ts';

interface ContinueIfManifest {
  condition_statement: object;
  evaluation_parameters?: Values;
  next_steps: string[];
  stop_delay?: unknown;
}

interface LastTrue {
  held_at: number;
}

export const continueIf: StepType<ContinueIfManifest> = {
  type: 'roboflow_core/continue_if@v1',
  aliases: ['ContinueIf'],
  summary: 'Runs the steps that it names if a condition is true.',
  properties: {
    condition_statement: statementGroup('the condition'),
    evaluation_parameters: selectors('the values that the condition refers to, by name'),
    next_steps: steps('the steps to run if the condition is true'),
    stop_delay: number('seconds for which later runs of the sink still run the steps after the condition was last true; by default none', {
      exclusiveMinimum: 0,
    }),
  },
  required: ['condition_statement', 'next_steps'],
  ignoresUnknown: true,
  findFaults: ({ condition_statement: condition }) => nestFaults('condition_statement', statementGroupFaults(condition)),
  outputs: () => [],
  memoryKey: ({ stop_delay: stopDelay }, { step }) => (stopDelay === undefined ? null : `continue_if:${step}`),
  plan: (
    { condition_statement: condition, evaluation_parameters: values = {}, next_steps: nextSteps, stop_delay: stopDelay = 0 },
    context,
  ) =>
    withOperations(() => {
      if (nextSteps.length === 0) return endBranch();
      const seconds = readNumber('stop_delay', stopDelay);
      if (evaluateStatementGroup(condition, values, operationContext(context))) {
        return seconds > 0 ? { ...runNext(nextSteps), remember: { held_at: context.now } satisfies LastTrue } : runNext(nextSteps);
      }
      const lastTrueAt = (context.memory as Partial<LastTrue> | null)?.held_at;
      const elapsedMs = typeof lastTrueAt === 'number' ? context.now - lastTrueAt : Number.POSITIVE_INFINITY;
      return elapsedMs >= 0 && elapsedMs <= seconds * 1000 ? runNext(nextSteps) : endBranch();
    }),
};
