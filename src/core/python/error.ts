// An exception as Python raises it, where its class and text show on the wire.

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

/** Whether it is one of these; other exceptions are not what the caller is about. */
export function isPythonError(error: unknown, ...types: PythonErrorType[]): error is PythonError {
  return error instanceof PythonError && types.includes(error.type);
}
