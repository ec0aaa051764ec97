// The entry point of step types to conditions: check a StatementGroup when a workflow is saved, compile it once, evaluate
// it on named values.

import type { Fault } from '../../fault.ts';
import { memoizeByIdentity } from '../../values/memoize.ts';
import type { OperationContext } from '../operations/operation.ts';
import { nestedReader, withPythonErrorsAsFaults } from '../operations/read-operations.ts';

/**
 * Evaluates every statement. Throws OperationFault if one fails, and ImagesWanted as operations do. Operands and their
 * operations refer to `values` by name; `context.parameters` is not used.
 */
export type CompiledStatementGroup = (values: Readonly<Record<string, unknown>>, context: OperationContext) => boolean;

const ROOT = '<root>';

/** Returns every fault of the definition. */
export function statementGroupFaults(definition: unknown): Fault[] {
  const reading = nestedReader.statementGroup(definition, ROOT);
  return 'faults' in reading ? reading.faults : [];
}

/** Throws a TypeError for a definition that has faults. */
export function compileStatementGroup(definition: unknown): CompiledStatementGroup {
  const reading = nestedReader.statementGroup(definition, ROOT);
  if ('faults' in reading) {
    throw new TypeError(
      `the statements are not valid: ${reading.faults.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')}`,
    );
  }
  return (values, context) => withPythonErrorsAsFaults(() => reading.value(values, context));
}

const compiledOnce = memoizeByIdentity<object, CompiledStatementGroup>(compileStatementGroup);

/** Compiles the definition on first use. */
export function evaluateStatementGroup(definition: unknown, values: Readonly<Record<string, unknown>>, context: OperationContext): boolean {
  return compiledOnce(definition as object)(values, context);
}
