// Bytes as a value inside a workflow (Python's `bytes`), as ConvertImageToJPEG returns them.

export class Bytes {
  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  /** Bytes have no JSON form: code that stores or sends them must encode them. */
  toJSON(): never {
    throw new TypeError('bytes have no JSON form: encode them first');
  }
}
