// The value of an operation that takes nothing but an image.

import { ImageFault } from '../../image.ts';
import { type ImageSource, readImageSource } from '../../image-source.ts';
import { OperationFault, shownValue, wrongInput } from '../operation-fault.ts';

/** Throws for any other value; `call` is the operation as messages name it. */
export function imageOf(value: unknown, call: string, place: string): ImageSource {
  const source = readImageSource(value);
  if (source !== null) return source;
  throw wrongInput(`Executing ${call} in context ${place}, expected WorkflowImageData object as value, got ${shownValue(value)}`);
}

/** Looks at the image, and says which operation could not when it cannot be read. */
export function lookingAt<Result>(call: string, place: string, look: () => Result): Result {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    throw new OperationFault('OperationError', `While Using operation ${call} in context ${place} encountered error: ${error.message}`);
  }
}
