// Finds where an HTTP/1.1 answer ends, at the least cost: by Content-Length or by its chunks. One answer at a time;
// what it says is not looked at here.

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const CARRIAGE_RETURN_AND_NEWLINE = 2;

export interface AnswerScanner {
  /** Takes bytes as they came. Returns the status when they end the answer, else null. Throws when it is none. */
  take(bytes: Buffer): number | null;
}

type Phase = 'head' | 'body' | 'chunk-size' | 'chunk' | 'trailer';

export function createAnswerScanner(): AnswerScanner {
  let phase: Phase = 'head';
  let status = 0;
  /** Bytes of the body or chunk that are still to come. */
  let remaining = 0;
  /** The begin of a head or line whose end has not come. */
  let unread: Buffer | null = null;

  function readHead(head: string): void {
    status = Number(head.slice(9, 12));
    if (!head.startsWith('HTTP/1.1 ') || !(status >= 200)) throw new Error(`not an HTTP answer: ${head.slice(0, 80)}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) remaining = Number(length);
    else if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`an answer without a length: ${head.slice(0, 80)}`);
    phase = length === undefined ? 'chunk-size' : 'body';
  }

  function readLine(line: string): void {
    if (phase === 'trailer') return;
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`not a chunk size: ${line.slice(0, 80)}`);
    remaining = size + CARRIAGE_RETURN_AND_NEWLINE;
    phase = size === 0 ? 'trailer' : 'chunk';
  }

  function finish(bytes: Buffer, end: number): number {
    if (end !== bytes.length) throw new Error('the server sent more than it was asked for');
    phase = 'head';
    return status;
  }

  return {
    take(chunk) {
      const bytes = unread === null ? chunk : Buffer.concat([unread, chunk]);
      unread = null;
      for (let at = 0; ; ) {
        if (phase === 'body' || phase === 'chunk') {
          const taken = Math.min(remaining, bytes.length - at);
          at += taken;
          remaining -= taken;
          if (remaining > 0) return null;
          if (phase === 'body') return finish(bytes, at);
          phase = 'chunk-size';
          continue;
        }
        const separator = phase === 'head' ? HEAD_END : LINE_END;
        const end = bytes.indexOf(separator, at);
        if (end === -1) {
          unread = Buffer.from(bytes.subarray(at));
          return null;
        }
        const isLastLine = phase === 'trailer' && end === at;
        const text = bytes.toString('latin1', at, end);
        at = end + separator.length;
        if (isLastLine) return finish(bytes, at);
        if (phase === 'head') readHead(text);
        else readLine(text);
      }
    },
  };
}
