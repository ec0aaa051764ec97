// Reads the input of an operation that accepts only an image.

import { ImageFault } from '../../image.ts';
import { type ImageSource, readImageSource } from '../../image-source.ts';
import { OperationFault, shownValue, wrongInput } from '../operation-fault.ts';

/** Throws OperationFault for any other value. `call` is the operation's name in messages. */
export function imageOf(value: unknown, call: string, place: string): ImageSource {
  const source = readImageSource(value);
  if (source !== null) return source;
  throw wrongInput(`Executing ${call} in context ${place}, expected WorkflowImageData object as value, got ${shownValue(value)}`);
}

/** Turns an ImageFault of `read` into an OperationFault that names the operation. */
export function readingImage<Result>(call: string, place: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    throw new OperationFault('OperationError', `While Using operation ${call} in context ${place} encountered error: ${error.message}`);
  }
}
