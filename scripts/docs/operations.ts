// The tables of operations and statements: every operation with its parameters, and every operator of statements. An
// operator without a description here fails the documents' test.

import { ownOperations, roboflowOperations } from '../../src/core/uql/operations/index.ts';
import type { Operation } from '../../src/core/uql/operations/operation.ts';
import { comparators, unaryOperators } from '../../src/core/uql/statements/comparators.ts';
import { code, markdownTable } from './markdown-table.ts';
import { schemaInWords } from './schema-words.ts';

/** Longer descriptions of parameters appear once. */
const LONGEST_REPEATED = 200;

export const roboflowOperationsTable = (): string => operationsTable(roboflowOperations);
export const ownOperationsTable = (): string => operationsTable(ownOperations);

function operationsTable(operations: readonly Operation[]): string {
  const descriptions = operations.map(({ parameters }) => parametersInWords(parameters));
  const rows = operations.map(({ type, summary }, index) => {
    const parameters = descriptions[index] as string;
    const earlier = operations[descriptions.indexOf(parameters)] as Operation;
    const isRepeated = earlier.type !== type && parameters.length > LONGEST_REPEATED;
    return [code(type), summary, isRepeated ? `as for ${code(earlier.type)}` : parameters];
  });
  return markdownTable(['Operation', 'What it does', 'Parameters'], rows);
}

function parametersInWords(parameters: Operation['parameters']): string {
  return Object.entries(parameters)
    .map(([name, { schema, isRequired }]) => {
      const fallback = isRequired ? 'required' : code(JSON.stringify(schema['default']));
      return `${code(name)} (${schemaInWords(schema)}; ${fallback}): ${String(schema['description'])}`;
    })
    .join('<br>');
}

const COMPARATORS: Readonly<Record<string, string>> = {
  '==': 'are equal: `1`, `1.0` and `true` are, `1` and `"1"` are not; lists and objects are compared by content',
  '!=': 'are not equal',
  '(Number) ==': 'as `==`',
  '(Number) !=': 'as `!=`',
  '(Number) >': 'the left one is greater: texts and lists by their first difference; different kinds fail the step',
  '(Number) >=': 'it is greater or equal',
  '(Number) <': 'it is less',
  '(Number) <=': 'it is less or equal',
  '(Number) in range': 'the left one lies from the first to the second item of the right one, both included',
  '(String) startsWith': 'the left text begins with the right one',
  '(String) endsWith': 'the left text ends with the right one',
  '(String) contains': 'the right one is a part of the left text, an item of the left list or a key of the left object',
  'in (Sequence)': 'the left one is a part of the right text, an item of the right list or a key of the right object',
  'any in (Sequence)': 'at least one item of the left one is in the right one; false if the left one is empty',
  'all in (Sequence)': 'every item of the left one is in the right one; true if the left one is empty',
  '(Detection) in zone': 'the point `[x, y]` on the left lies inside the polygon `[[x, y], …]` on the right, not on its border',
};

const UNARY_OPERATORS: Readonly<Record<string, string>> = {
  Exists: 'is not null',
  DoesNotExist: 'is null',
  '(Boolean) is True': 'is `true`; `1` is not',
  '(Boolean) is False': 'is `false`; `0` is not',
  '(Sequence) is empty': 'is a text, list, object or detections of length 0',
  '(Sequence) is not empty': 'has another length than 0',
};

export const comparatorsTable = (): string => operatorsTable('The two operands', comparators.keys(), COMPARATORS);
export const unaryOperatorsTable = (): string => operatorsTable('The operand', unaryOperators.keys(), UNARY_OPERATORS);

function operatorsTable(operands: string, known: Iterable<unknown>, meanings: Readonly<Record<string, string>>): string {
  const rows = [...known].map((operator) => {
    const name = String(operator);
    const meaning = meanings[name];
    if (meaning === undefined) throw new Error(`the operator ${name} has no description in scripts/docs/operations.ts`);
    return [code(name), meaning];
  });
  return markdownTable(['`type`', operands], rows);
}
