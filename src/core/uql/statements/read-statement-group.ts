// Reads a StatementGroup: returns all its faults, or the function that evaluates it. Roboflow's language does not short
// circuit: a statement that fails makes the group fail, whatever the results of the others are.

import { type Fault, nestFaults } from '../../fault.ts';
import { PythonError } from '../../python/error.ts';
import { isDict } from '../../python/kind.ts';
import type { NestedReader, OperationContext, Predicate, Reading } from '../operations/operation.ts';
import { OperationFault } from '../operations/operation-fault.ts';
import { toBoolean } from '../operations/parameter.ts';
import { comparators, unaryOperators } from './comparators.ts';
import { type Operand, readOperand } from './read-operand.ts';

type Fields = Record<string, unknown>;

export function readStatementGroup(definition: unknown, place: string, nested: NestedReader): Reading<Predicate> {
  const faults = typeFaults(definition, ['StatementGroup']);
  if (faults.length > 0) return { faults };
  const { statements, operator = 'or' } = definition as Fields;
  if (operator !== 'or' && operator !== 'and') faults.push({ path: 'operator', message: 'must be "or" or "and"' });
  if (!Array.isArray(statements) || statements.length === 0) {
    return { faults: [...faults, { path: 'statements', message: 'must be a list of at least one statement' }] };
  }
  const predicates = statements.map((statement: unknown, index) => {
    const reading = readStatement(statement, `${place}.statements[${index}]`, nested);
    if ('value' in reading) return reading.value;
    faults.push(...nestFaults(`statements[${index}]`, reading.faults));
    return null;
  });
  if (faults.length > 0) return { faults };
  return {
    value: (values, context) => {
      const results = predicates.map((predicate) => (predicate as Predicate)(values, context));
      return operator === 'and' ? !results.includes(false) : results.includes(true);
    },
  };
}

function readStatement(definition: unknown, place: string, nested: NestedReader): Reading<Predicate> {
  const faults = typeFaults(definition, ['BinaryStatement', 'UnaryStatement', 'StatementGroup']);
  if (faults.length > 0) return { faults };
  const fields = definition as Fields;
  if (fields['type'] === 'StatementGroup') return readStatementGroup(fields, place, nested);
  return fields['type'] === 'BinaryStatement' ? readBinary(fields, place, nested) : readUnary(fields, place, nested);
}

function readBinary(fields: Fields, place: string, nested: NestedReader): Reading<Predicate> {
  const faults: Fault[] = [];
  const left = readField(fields, 'left_operand', faults, (given) => readOperand(given, place, nested));
  const compare = readField(fields, 'comparator', faults, (given) => readChosen(given, comparators));
  const right = readField(fields, 'right_operand', faults, (given) => readOperand(given, place, nested));
  const isNegated = readField(fields, 'negate', faults, readNegate);
  if (left === null || compare === null || right === null || isNegated === null) return { faults };
  return { value: withPlaceInErrors('BinaryStatement', place, (resolve) => compare(resolve(left), resolve(right)) !== isNegated) };
}

function readUnary(fields: Fields, place: string, nested: NestedReader): Reading<Predicate> {
  const faults: Fault[] = [];
  const operand = readField(fields, 'operand', faults, (given) => readOperand(given, place, nested));
  const check = readField(fields, 'operator', faults, (given) => readChosen(given, unaryOperators));
  const isNegated = readField(fields, 'negate', faults, readNegate);
  if (operand === null || check === null || isNegated === null) return { faults };
  return { value: withPlaceInErrors('UnaryStatement', place, (resolve) => check(resolve(operand)) !== isNegated) };
}

/** Null if the field is invalid; adds to `faults`. */
function readField<Value>(fields: Fields, name: string, faults: Fault[], read: (given: unknown) => Reading<Value>): Value | null {
  const reading = read(fields[name]);
  if ('value' in reading) return reading.value;
  faults.push(...nestFaults(name, reading.faults));
  return null;
}

function readChosen<Choice>(given: unknown, choices: ReadonlyMap<unknown, Choice>): Reading<Choice> {
  const choice = isDict(given) ? choices.get(given['type']) : undefined;
  if (choice !== undefined) return { value: choice };
  const known = [...choices.keys()].map((type) => JSON.stringify(type)).join(', ');
  return { faults: [{ path: '', message: `must be {"type": …} with one of ${known}` }] };
}

function readNegate(given: unknown): Reading<boolean> {
  if (given === undefined) return { value: false };
  return toBoolean(given) ?? { faults: [{ path: '', message: 'must be true or false' }] };
}

function typeFaults(definition: unknown, types: readonly string[]): Fault[] {
  if (isDict(definition) && types.some((type) => type === definition['type'])) return [];
  return [{ path: '', message: `must be an object with "type" ${types.map((type) => `"${type}"`).join(' or ')}` }];
}

/** Adds the place of the statement to each error, except to errors of the operands' operations, which have one. */
function withPlaceInErrors(type: string, place: string, evaluate: (resolve: (operand: Operand) => unknown) => boolean): Predicate {
  return (values, context) => {
    const inner: OperationContext = { ...context, parameters: values };
    try {
      return evaluate((operand) => operand(values, inner));
    } catch (error) {
      const isUndeclared = error instanceof OperationFault && error.type === 'UndeclaredSymbolError';
      if (!isUndeclared && !(error instanceof PythonError)) throw error;
      const message = `Attempted to execute evaluation of type: ${type} in context ${place}, but encountered error: ${error.message}`;
      throw new OperationFault(isUndeclared ? 'UndeclaredSymbolError' : 'EvaluationEngineError', message);
    }
  };
}
