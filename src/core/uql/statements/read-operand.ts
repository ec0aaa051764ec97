// Reads an operand of a statement: a value in the definition, or the name of a value given at run time.

import { nestFaults } from '../../fault.ts';
import { isDict } from '../../python/kind.ts';
import type { NestedReader, OperationContext, Reading, Transform } from '../operations/operation.ts';
import { OperationFault } from '../operations/operation-fault.ts';

/** Returns the operand's value after its operations. */
export type Operand = (values: Readonly<Record<string, unknown>>, context: OperationContext) => unknown;

/** The name of the current detection within DetectionsFilter. */
const DEFAULT_OPERAND_NAME = '_';

export function readOperand(definition: unknown, place: string, nested: NestedReader): Reading<Operand> {
  const type = isDict(definition) ? definition['type'] : undefined;
  if (!isDict(definition) || (type !== 'StaticOperand' && type !== 'DynamicOperand')) {
    return { faults: [{ path: '', message: 'must be an object with "type" "StaticOperand" or "DynamicOperand"' }] };
  }
  const { operations = [] } = definition;
  const chain = nested.operations(operations, (index) => `${place}.operations[${index}]`);
  if ('faults' in chain) return { faults: nestFaults('operations', chain.faults) };
  return type === 'StaticOperand' ? readStatic(definition, chain.value) : readDynamic(definition, chain.value);
}

function readStatic(definition: Record<string, unknown>, transform: Transform): Reading<Operand> {
  const { value } = definition;
  if (value === undefined) return { faults: [{ path: 'value', message: 'is missing; it may be any value, including null' }] };
  return { value: (_values, context) => transform(value, context) };
}

function readDynamic(definition: Record<string, unknown>, transform: Transform): Reading<Operand> {
  const { operand_name: name = DEFAULT_OPERAND_NAME } = definition;
  if (typeof name !== 'string') return { faults: [{ path: 'operand_name', message: 'must be text' }] };
  return {
    value: (values, context) => {
      if (!Object.hasOwn(values, name)) throw new OperationFault('UndeclaredSymbolError', `Encountered undefined symbol \`${name}\``);
      return transform(values[name], context);
    },
  };
}
