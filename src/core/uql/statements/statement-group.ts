// Conditions for those who use them: groups of statements, checked when a workflow is saved, compiled once, and
// evaluated on named values.

import type { Fault } from '../../fault.ts';
import { memoizeByIdentity } from '../../values/memoize.ts';
import type { OperationContext } from '../operations/operation.ts';
import { nestedReader, withPythonErrorsAsFaults } from '../operations/read-operations.ts';

/**
 * Every statement is evaluated, whatever the others say. Throws OperationFault when one cannot be, and ImagesWanted as
 * operations do. The values are what operands and their operations may name; `context.parameters` is not looked at.
 */
export type CompiledStatementGroup = (values: Readonly<Record<string, unknown>>, context: OperationContext) => boolean;

const ROOT = '<root>';

/** Every fault of the definition, with what would be right. */
export function statementGroupFaults(definition: unknown): Fault[] {
  const reading = nestedReader.statementGroup(definition, ROOT);
  return 'faults' in reading ? reading.faults : [];
}

/** Throws for a definition that statementGroupFaults finds fault with. */
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

/** Compiles a definition when it is first used, and evaluates it. */
export function evaluateStatementGroup(definition: unknown, values: Readonly<Record<string, unknown>>, context: OperationContext): boolean {
  return compiledOnce(definition as object)(values, context);
}
