// Python's tuple, such as a point: an array that is printed, compared and hashed as a tuple.

export class Tuple extends Array<unknown> {
  /** Slices and mapped copies of a tuple are plain lists. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** JSON has only lists, so code that stores or shows a tuple must convert it. */
  toJSON(): never {
    throw new TypeError('a tuple must be converted before it is written as JSON');
  }
}
