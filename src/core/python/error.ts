// A Python exception: its class and message appear on the wire.

export type PythonErrorType =
  | 'AttributeError'
  | 'IndexError'
  | 'KeyError'
  | 'OverflowError'
  | 'TypeError'
  | 'ValueError'
  | 'ZeroDivisionError';

export class PythonError extends Error {
  readonly type: PythonErrorType;

  constructor(type: PythonErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

export function isPythonError(error: unknown, ...types: PythonErrorType[]): error is PythonError {
  return error instanceof PythonError && types.includes(error.type);
}
