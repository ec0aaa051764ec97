// What happened in a history: a hash of all of it, and its lines if they are wanted.

export class Trace {
  readonly lines: string[] | null;
  #hash = 0x811c9dc5;

  constructor(isKept: boolean) {
    this.lines = isKept ? [] : null;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  note(at: number, by: string, text: string): void {
    const line = `${at.toFixed(3)} ${by} ${text}`;
    // FNV-1a, 32 bits.
    for (let index = 0; index < line.length; index += 1) this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193);
    this.lines?.push(line);
  }
}
