// What goes wrong when an operation meets a value that it cannot take: Roboflow's classes of error, and its messages.

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
  /** Roboflow lets some exceptions of Python through as they are. */
  | PythonErrorType;

export class OperationFault extends Error {
  readonly type: OperationFaultType;

  constructor(type: OperationFaultType, message: string) {
    super(message);
    this.type = type;
  }
}

/** The value is of a type that the operation does not take. */
export function wrongInput(message: string): OperationFault {
  return new OperationFault('InvalidInputTypeError', message);
}

/** As messages show a value: `[1] of type <class 'list'>`. */
export function shownValue(value: unknown): string {
  return `${excerptOf(withDetectionsAsJson(value))} of type ${classText(value)}`;
}
