// The rest of a pattern while it is read, by code point.

export class Scanner {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  /** How many characters have been read. */
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

  /** Reads while the characters fit, up to so many. */
  takeWhile(fits: RegExp, most = Number.POSITIVE_INFINITY): string {
    let taken = '';
    let count = 0;
    while (count < most && !this.isAtEnd && fits.test(this.peek())) {
      taken += this.next();
      count += 1;
    }
    return taken;
  }

  /** Reads up to the mark and the mark itself; null, with nothing read, where it never comes. */
  takeUntil(mark: string): string | null {
    const end = this.#characters.indexOf(mark, this.#at);
    if (end === -1) return null;
    const taken = this.#characters.slice(this.#at, end).join('');
    this.#at = end + 1;
    return taken;
  }

  /** Goes back to a position that was read before. */
  rewind(position: number): void {
    this.#at = position;
  }
}
