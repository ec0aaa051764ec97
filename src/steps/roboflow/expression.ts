// roboflow_core/expression@v1: outputs the result of the first case whose condition is true, else the default.

import { type Fault, nestFaults } from '../../core/fault.ts';
import { applyOperations, operationsFaults } from '../../core/uql/operations/apply-operations.ts';
import { evaluateStatementGroup, statementGroupFaults } from '../../core/uql/statements/statement-group.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { caseResult, operationChains, selectors, statementGroup } from '../shared/property-schemas.ts';
import type { StepContext, StepType } from '../step-type.ts';
import {
  chainFaults,
  type Operations,
  type OperationsByName,
  operationContext,
  transformValues,
  type Values,
} from './parts/named-operations.ts';

type CaseResult =
  | { type: 'StaticCaseResult'; value: unknown }
  | { type: 'DynamicCaseResult'; parameter_name: string; operations?: Operations | null };

interface ExpressionManifest {
  data: Values;
  data_operations?: OperationsByName;
  switch: { cases: readonly { condition: object; result: CaseResult }[]; default: CaseResult };
}

export const expression: StepType<ExpressionManifest> = {
  type: 'roboflow_core/expression@v1',
  aliases: ['Expression'],
  summary: 'Outputs the result of the first case whose condition is true: a fixed value, or a selected and transformed one.',
  properties: {
    data: selectors('the values that conditions and results refer to, by name'),
    data_operations: operationChains('operations on values before the conditions are evaluated, by name'),
    switch: {
      type: 'object',
      description: 'cases in order and the default, as {"type":"CasesDefinition","cases":[...],"default":{...}}',
      required: ['type', 'cases', 'default'],
      properties: {
        type: { const: 'CasesDefinition' },
        cases: {
          type: 'array',
          items: {
            type: 'object',
            required: ['type', 'condition', 'result'],
            properties: { type: { const: 'CaseDefinition' }, condition: statementGroup('the condition of the case'), result: caseResult },
          },
        },
        default: caseResult,
      },
    },
  },
  required: ['data', 'switch'],
  ignoresUnknown: true,
  findFaults: ({ data, data_operations: chains, switch: { cases, default: otherwise } }) => [
    ...chainFaults('data_operations', chains, data),
    ...cases.flatMap(({ condition, result }, index) => [
      ...nestFaults(`switch.cases[${index}].condition`, statementGroupFaults(condition)),
      ...resultFaults(`switch.cases[${index}].result`, result, data),
    ]),
    ...resultFaults('switch.default', otherwise, data),
  ],
  outputs: () => ['output'],
  plan: ({ data, data_operations: chains = {}, switch: { cases, default: otherwise } }, context) =>
    withOperations(() => {
      const values = transformValues(data, chains, context);
      const chosen = cases.find(({ condition }) => evaluateStatementGroup(condition, values, operationContext(context)));
      const output = resultOf(chosen?.result ?? otherwise, values, context);
      return { kind: 'completed', outputs: { output: output } };
    }),
};

function resultOf(result: CaseResult, values: Values, context: StepContext): unknown {
  if (result.type === 'StaticCaseResult') return result.value;
  return applyOperations(values[result.parameter_name], result.operations ?? [], operationContext(context, values));
}

function resultFaults(path: string, result: CaseResult, data: Values): Fault[] {
  if (result.type === 'StaticCaseResult') return [];
  const faults = nestFaults(`${path}.operations`, operationsFaults(result.operations ?? []));
  if (Object.hasOwn(data, result.parameter_name)) return faults;
  const known = Object.keys(data).join(', ') || 'none';
  return [...faults, { path: `${path}.parameter_name`, message: `data has no value of this name; known are ${known}` }];
}
