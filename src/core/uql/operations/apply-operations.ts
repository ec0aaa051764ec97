// Operations for those who use them: checked when a workflow is saved, compiled once, run on a value.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';
import { memoizeByIdentity } from '../../values/memoize.ts';
import type { OperationContext, OperationDefinition } from './operation.ts';
import { readOperations, withPythonErrorsAsFaults } from './read-operations.ts';

/**
 * Throws OperationFault for a value that an operation cannot take, ImagesWanted until the images it looks at are
 * loaded, and ImageFault for one that cannot be read. The value is not changed.
 */
export type CompiledOperations = (value: unknown, context: OperationContext) => unknown;

/** For a manifest's schema: the form alone. What else is wrong, operationsFaults tells. */
export const operationsSchema: JsonSchema = {
  type: 'array',
  description: 'a list of operations, as [{"type":"SequenceLength"}]',
  items: { type: 'object', required: ['type'], properties: { type: { type: 'string' } } },
};

/** Every fault of the definitions, with what would be right. Unknown parameters are ignored, as Roboflow does. */
export function operationsFaults(definitions: unknown): Fault[] {
  const reading = readOperations(definitions, placeAtRoot);
  return 'faults' in reading ? reading.faults : [];
}

/** Throws for definitions that operationsFaults finds fault with. */
export function compileOperations(definitions: readonly OperationDefinition[]): CompiledOperations {
  const reading = readOperations(definitions, placeAtRoot);
  if ('faults' in reading) {
    throw new TypeError(
      `the operations are not valid: ${reading.faults.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')}`,
    );
  }
  return (value, context) => withPythonErrorsAsFaults(() => reading.value(value, context));
}

const compiledOnce = memoizeByIdentity(compileOperations);

/** Compiles definitions when they are first used, and runs them. */
export function applyOperations(value: unknown, operations: readonly OperationDefinition[], context: OperationContext): unknown {
  return compiledOnce(operations)(value, context);
}

function placeAtRoot(index: number): string {
  return `<root>[${index}]`;
}
