// The error of an operation that refuses a value, with Roboflow's error classes and messages.

import type { PythonErrorType } from '../../python/error.ts';
import { classText } from '../../python/kind.ts';
import { excerptOf } from '../../python/text.ts';
import { withDetectionsAsJson } from '../detections-json.ts';

export type OperationFaultType =
  | 'InvalidInputTypeError'
  | 'OperationError'
  | 'UndeclaredSymbolError'
  | 'EvaluationEngineError'
  | 'OperationTypeNotRecognisedError'
  /** Roboflow does not wrap some of Python's exceptions. */
  | PythonErrorType;

export class OperationFault extends Error {
  readonly type: OperationFaultType;

  constructor(type: OperationFaultType, message: string) {
    super(message);
    this.type = type;
  }
}

/** The operation does not accept values of this type. */
export function wrongInput(message: string): OperationFault {
  return new OperationFault('InvalidInputTypeError', message);
}

/** A value in messages: `[1] of type <class 'list'>`. */
export function shownValue(value: unknown): string {
  return `${excerptOf(withDetectionsAsJson(value))} of type ${classText(value)}`;
}
