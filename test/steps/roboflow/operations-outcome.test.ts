// Errors about a step's data become plans, and all other errors are rethrown.

import { expect, test } from 'vitest';
import { PythonError } from '../../../src/core/python/error.ts';
import { ImageFault, ImagesWanted, type ImageWant } from '../../../src/core/uql/image.ts';
import { OperationFault } from '../../../src/core/uql/operations/operation-fault.ts';
import { withOperations } from '../../../src/steps/shared/operations-outcome.ts';
import { SettingFault } from '../../../src/steps/shared/setting-values.ts';

function throwing(error: Error): () => never {
  return () => {
    throw error;
  };
}

test('a plan without errors is returned unchanged', () => {
  const outcome = { kind: 'completed', outputs: {} } as const;
  expect(withOperations(() => outcome)).toBe(outcome);
});

test('images that are not loaded yet are requested', () => {
  const wants: ImageWant[] = [{ image: 'aGk=', form: { kind: 'jpeg', quality: 95 } }];
  expect(withOperations(throwing(new ImagesWanted(wants)))).toEqual({ kind: 'load', wants });
});

test.each([
  [new ImageFault('the image is damaged'), 'operation_failed'],
  [new OperationFault('OperationError', 'division by zero'), 'operation_failed'],
  [new PythonError('TypeError', "unhashable type: 'dict'"), 'operation_failed'],
  [new SettingFault('x must be text, but is 1'), 'invalid_setting'],
])('%s fails the step without a retry, with its message', (error, code) => {
  expect(withOperations(throwing(error))).toEqual({ kind: 'failed', retryable: false, error: { code, message: error.message } });
});

test('an unexpected error is rethrown instead of failing the step', () => {
  expect(() => withOperations(throwing(new TypeError('x is not a function')))).toThrow(TypeError);
});
