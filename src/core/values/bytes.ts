// Bytes as a value inside a workflow, as ConvertImageToJPEG makes them: Python's `bytes`.

export class Bytes {
  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  /** Bytes have no JSON: whoever stores or sends them says how. */
  toJSON(): never {
    throw new TypeError('bytes are not JSON: write them on purpose');
  }
}
