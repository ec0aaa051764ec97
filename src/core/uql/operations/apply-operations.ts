// The entry point of step types to operations: check a chain when a workflow is saved, compile it once, run it on values.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';
import { memoizeByIdentity } from '../../values/memoize.ts';
import type { OperationContext, OperationDefinition } from './operation.ts';
import { readOperations, withPythonErrorsAsFaults } from './read-operations.ts';

/**
 * Throws OperationFault if an operation refuses the value or an image cannot be read, and ImagesWanted until the images
 * are loaded. The value is not changed.
 */
export type CompiledOperations = (value: unknown, context: OperationContext) => unknown;

/** The schema in manifests. It checks only the form; `operationsFaults` finds the other faults. */
export const operationsSchema: JsonSchema = {
  type: 'array',
  description: 'a list of operations, such as [{"type":"SequenceLength"}]',
  items: { type: 'object', required: ['type'], properties: { type: { type: 'string' } } },
};

/** Returns every fault of the definitions. Unknown parameters are ignored, as in Roboflow. */
export function operationsFaults(definitions: unknown): Fault[] {
  const reading = readOperations(definitions, placeAtRoot);
  return 'faults' in reading ? reading.faults : [];
}

/** Throws a TypeError for definitions that have faults. */
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

/** Compiles the definitions on first use. */
export function applyOperations(value: unknown, operations: readonly OperationDefinition[], context: OperationContext): unknown {
  return compiledOnce(operations)(value, context);
}

function placeAtRoot(index: number): string {
  return `<root>[${index}]`;
}
