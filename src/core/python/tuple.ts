// Python's tuple: a list to whoever goes through its items and to JSON, but printed, compared and hashed as what it is.
// Points are tuples.

export class Tuple extends Array<unknown> {
  /** Parts and copies of a tuple are plain lists. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** JSON has lists alone: whoever stores or shows a tuple says how. */
  toJSON(): never {
    throw new TypeError('a tuple is not JSON: write it on purpose');
  }
}
