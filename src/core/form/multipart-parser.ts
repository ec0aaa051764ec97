// Streaming parser for multipart forms (RFC 7578, RFC 2046), in chunks of any size. Every byte is content, or part of a
// valid head or boundary line; otherwise the form is rejected. Buffers at most one head or boundary line.

import { BoundaryLine } from './boundary-line.ts';
import { MalformedForm } from './malformed-form.ts';
import { type PartHead, readPartHead, shownPart } from './part-head.ts';

export type FormToken =
  | { kind: 'part'; head: PartHead }
  /** Of the current part; a view of the pushed bytes. */
  | { kind: 'content'; bytes: Uint8Array }
  /** The current part is complete. */
  | { kind: 'end' };

const CRLF = Buffer.from('\r\n');
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_ASIDE_BYTES = 1024;
const NOTHING = Buffer.alloc(0);

export class MultipartParser {
  readonly #line: BoundaryLine;
  #state: 'preamble' | 'head' | 'content' | 'epilogue' = 'preamble';
  /** Data not yet yielded, from `#at` on. */
  #data: Buffer = CRLF;
  #at = 0;
  /** Length of the CR LF at `#at` that ends the previous line and may also begin a boundary line. */
  #lead = CRLF.length;
  #part: PartHead | null = null;
  #parts = 0;
  /** The text before the first boundary line, or after the last. */
  #aside: Buffer = NOTHING;

  constructor(boundary: string) {
    this.#line = new BoundaryLine(boundary);
  }

  /** Throws MalformedForm during iteration; nothing may be pushed after that. */
  *push(chunk: Uint8Array): Generator<FormToken, void> {
    const isConsumed = this.#at === this.#data.length;
    this.#data = isConsumed ? viewOf(chunk) : Buffer.concat([this.#data.subarray(this.#at), chunk]);
    this.#at = 0;
    let hasMore = true;
    while (hasMore) hasMore = yield* this.#state === 'head' ? this.#readHead() : this.#readText();
  }

  /** Ends the body. Throws MalformedForm when the form is incomplete. */
  *end(): Generator<FormToken, void> {
    if (this.#state !== 'head' && this.#line.isLastLine(this.#data.subarray(this.#at))) yield* this.#endText(true);
    if (this.#state !== 'epilogue') throw this.#unfinished();
    this.#checkAside('behind its last boundary line');
  }

  /** Returns true when buffered data remains to be read. */
  *#readHead(): Generator<FormToken, boolean> {
    const end = this.#data.indexOf(END_OF_HEAD, this.#at);
    const number = this.#parts + 1;
    if ((end === -1 ? this.#data.length : end) - this.#at > MAX_HEAD_BYTES)
      throw new MalformedForm(`the head of part ${number} is larger than ${MAX_HEAD_BYTES} bytes`, `part ${number}`);
    if (end === -1) return false;
    this.#parts = number;
    this.#part = readPartHead(this.#data.subarray(Math.min(this.#at + CRLF.length, end), end), number);
    this.#moveTo(end + CRLF.length, CRLF.length);
    this.#state = 'content';
    yield { kind: 'part', head: this.#part };
    return true;
  }

  *#readText(): Generator<FormToken, boolean> {
    if (this.#state === 'epilogue') {
      this.#putAside(this.#data.length);
      return false;
    }
    const { contentEnd, next, isLast } = this.#line.find(this.#data, this.#at);
    if (contentEnd > this.#at + this.#lead) {
      if (this.#state === 'content') yield { kind: 'content', bytes: this.#data.subarray(this.#at + this.#lead, contentEnd) };
      else this.#putAside(contentEnd);
      this.#moveTo(contentEnd, 0);
    }
    if (next === null) return false;
    yield* this.#endText(isLast);
    this.#moveTo(isLast ? next : next - CRLF.length, isLast ? 0 : CRLF.length);
    return true;
  }

  *#endText(isLast: boolean): Generator<FormToken, void> {
    if (this.#state === 'content') yield { kind: 'end' };
    else this.#checkAside('before its first boundary line');
    this.#state = isLast ? 'epilogue' : 'head';
  }

  #moveTo(at: number, lead: number): void {
    this.#at = at;
    this.#lead = lead;
  }

  #putAside(end: number): void {
    this.#aside = Buffer.concat([this.#aside, this.#data.subarray(this.#at + this.#lead, end)]);
    this.#moveTo(end, 0);
    if (this.#aside.length <= MAX_ASIDE_BYTES) return;
    if (this.#state === 'preamble') throw this.#noBoundary();
    throw new MalformedForm(`more than ${MAX_ASIDE_BYTES} bytes follow its last boundary line "${this.#line.text}--"`);
  }

  /** Text around the parts is ignored (RFC 2046, 5.1.1), but a part with a damaged boundary line must not be. */
  #checkAside(where: string): void {
    const text = this.#aside.toString('latin1');
    this.#aside = NOTHING;
    if (MAY_BE_A_PART.test(text))
      throw new MalformedForm(`the text ${where} looks like a part: ${JSON.stringify(text.trim().slice(0, 40))}`);
  }

  #unfinished(): MalformedForm {
    if (this.#state === 'preamble') return this.#noBoundary();
    const last = `before its last boundary line "${this.#line.text}--"`;
    const next = `part ${this.#parts + 1}`;
    if (this.#state === 'head')
      return new MalformedForm(`it ends in the head of ${next}, ${last}; heads end with an empty line, lines with CR LF`, next);
    const part = shownPart(this.#part as PartHead);
    return new MalformedForm(`it ends in the content of "${part}", ${last}`, part);
  }

  #noBoundary(): MalformedForm {
    return new MalformedForm(`it does not begin with its boundary line "${this.#line.text}"`);
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A line like a boundary or a header, or non-text bytes. */
const MAY_BE_A_PART = /^(?:--|[!-9;-~]+:)|[^\t\r\n -~\x80-\xff]/m;
