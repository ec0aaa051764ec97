// Finds the boundary lines of a multipart form (RFC 2046, 5.1.1): CR LF, two hyphens, the boundary, two more hyphens after
// the last part, then only blanks up to the next CR LF. A line that merely begins like this is content.

import { MalformedForm } from './malformed-form.ts';

export interface FoundLine {
  /** End of the content: before the CR LF that belongs to the line. */
  contentEnd: number;
  /** Index after the line; null when no line was found and all data up to `contentEnd` is content. */
  next: number | null;
  isLast: boolean;
}

const [CR, LF, HYPHEN, SPACE, TAB] = [0x0d, 0x0a, 0x2d, 0x20, 0x09];
const MAX_BLANKS = 128;

export class BoundaryLine {
  /** For messages. */
  readonly text: string;
  /** Without CR, so that a line after a bare LF is found too. */
  readonly #needle: Buffer;

  constructor(boundary: string) {
    this.text = `--${boundary}`;
    this.#needle = Buffer.from(`\n${this.text}`, 'latin1');
  }

  /** Finds the first line from `from` on. Throws MalformedForm for a boundary between bare LFs instead of CR LF. */
  find(data: Buffer, from: number): FoundLine {
    for (let at = from; ; ) {
      const line = data.indexOf(this.#needle, at);
      if (line === -1) return { contentEnd: this.#endOfContent(data, from), next: null, isLast: false };
      const start = line > from && data[line - 1] === CR ? line - 1 : line;
      const rest = readRest(data, line + this.#needle.length);
      if (rest === 'unfinished') return { contentEnd: start, next: null, isLast: false };
      if (rest !== null) {
        if (start === line || data[rest.next - 2] !== CR) throw this.#bareLineFeed();
        return { contentEnd: start, ...rest };
      }
      at = line + 1;
    }
  }

  /** Whether `data`, the end of a body, is the last boundary line without its CR LF. */
  isLastLine(data: Buffer): boolean {
    const text = data.toString('latin1', 0, this.#needle.length + MAX_BLANKS);
    return text.startsWith(`\r\n${this.text}--`) && /^[ \t]*$/.test(text.slice(this.text.length + 4));
  }

  /** Stops before data that may turn out to be a boundary line. */
  #endOfContent(data: Buffer, from: number): number {
    const { length } = data;
    const tail = Math.max(from, length - this.#needle.length);
    const lineFeed = data.lastIndexOf(LF);
    if (lineFeed >= tail && this.#needle.subarray(0, length - lineFeed).equals(data.subarray(lineFeed)))
      return lineFeed > from && data[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
    return length > from && data[length - 1] === CR ? length - 1 : length;
  }

  #bareLineFeed(): MalformedForm {
    return new MalformedForm(`its boundary line "${this.text}" stands between bare line feeds; lines of a form end with CR LF`);
  }
}

/** Reads the rest of a boundary line; null when it makes the line content. */
function readRest(data: Buffer, start: number): { next: number; isLast: boolean } | 'unfinished' | null {
  let at = start;
  if (data[at] === HYPHEN) {
    if (at + 1 === data.length) return 'unfinished';
    if (data[at + 1] !== HYPHEN) return null;
    at += 2;
  }
  const isLast = at > start;
  const blanks = at;
  while (data[at] === SPACE || data[at] === TAB) at += 1;
  if (at - blanks > MAX_BLANKS) throw new MalformedForm(`more than ${MAX_BLANKS} blanks follow the boundary on its line`);
  if (data[at] === CR) at += 1;
  if (at >= data.length) return 'unfinished';
  return data[at] === LF ? { next: at + 1, isLast } : null;
}
