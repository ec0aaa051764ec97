// Reads a pattern from left to right, by code point.

export class Scanner {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  /** The number of code points read. */
  get position(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  /** Empty at the end. */
  peek(): string {
    return this.#characters[this.#at] ?? '';
  }

  /** Empty at the end. */
  next(): string {
    const character = this.peek();
    this.#at += 1;
    return character;
  }

  /** Reads the text if it comes next. */
  take(text: string): boolean {
    const isNext = Array.from(text).every((character, offset) => this.#characters[this.#at + offset] === character);
    if (isNext) this.#at += Array.from(text).length;
    return isNext;
  }

  /** Reads matching characters, at most `most`. */
  takeWhile(fits: RegExp, most = Number.POSITIVE_INFINITY): string {
    let taken = '';
    let count = 0;
    while (count < most && !this.isAtEnd && fits.test(this.peek())) {
      taken += this.next();
      count += 1;
    }
    return taken;
  }

  /** Reads past the mark and returns the text before it. Null, with nothing read, if there is no mark. */
  takeUntil(mark: string): string | null {
    const end = this.#characters.indexOf(mark, this.#at);
    if (end === -1) return null;
    const taken = this.#characters.slice(this.#at, end).join('');
    this.#at = end + 1;
    return taken;
  }

  rewind(position: number): void {
    this.#at = position;
  }
}
