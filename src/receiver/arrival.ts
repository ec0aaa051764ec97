// What a receiver tells of one request: values to show, free of secrets, bounded in size. Every text in it is as it came,
// and whoever shows it makes it safe to show.

export interface Arrival {
  /** From 1, in the order in which the requests began. */
  number: number;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  client: string;
  method: string;
  path: string;
  query: Pair[];
  /** As they were written, in their order; credentials are masked. */
  headers: Pair[];
  body: ArrivedBody;
  signature: SignatureVerdict;
  /** `seen` counts the requests that had this key, this one included. */
  idempotency: { key: string; seen: number } | null;
  answer: ArrivalAnswer;
  /** From the head of the request to the end of the answer. */
  tookMs: number;
}

export type Pair = [name: string, value: string];

export interface ArrivedBody {
  size: number;
  /** Lower-case hex. */
  sha256: string;
  content: ArrivedContent;
  /** What is wrong with it, in words; none of it stops the answer. */
  faults: string[];
  /** The file that holds its bytes. */
  saved: string | null;
}

export type ArrivedContent =
  | { kind: 'empty' }
  | { kind: 'json' | 'text'; text: string }
  | { kind: 'form'; fields: Pair[] }
  | { kind: 'multipart'; parts: ArrivedPart[] }
  | { kind: 'bytes'; image: PixelSize | null };

export interface ArrivedPart {
  name: string | null;
  filename: string | null;
  contentType: string;
  size: number;
  sha256: string;
  image: PixelSize | null;
  /** The beginning of a part that is text and no file. */
  text: string | null;
  saved: string | null;
}

export interface PixelSize {
  width: number;
  height: number;
}

/** `unchecked`: there is a signature, but no secret to check it with. */
export interface SignatureVerdict {
  verdict: 'none' | 'unchecked' | 'valid' | 'invalid';
  reason: string | null;
}

/** `gone`: the sender closed the connection, or the receiver ended, before an answer was out. */
export type ArrivalAnswer = { kind: 'status'; status: number } | { kind: 'hang' | 'reset' | 'gone' };
