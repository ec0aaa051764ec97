// A request as a receiver reports it: values to show, without secrets and bounded in size. Texts are raw; the code that
// shows them must escape them.

export interface Arrival {
  /** From 1, in the order in which the requests began. */
  number: number;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  client: string;
  method: string;
  path: string;
  query: Pair[];
  /** In their original order and spelling; credentials are masked. */
  headers: Pair[];
  body: ArrivedBody;
  signature: SignatureVerdict;
  /** `seen` counts the requests with this key, including this one. */
  idempotency: { key: string; seen: number } | null;
  answer: ArrivalAnswer;
  /** From the request's head to the end of the answer. */
  tookMs: number;
}

export type Pair = [name: string, value: string];

export interface ArrivedBody {
  size: number;
  /** Lower-case hex. */
  sha256: string;
  content: ArrivedContent;
  /** Messages about the body; they do not change the answer. */
  faults: string[];
  /** The path of the file with its bytes. */
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
  /** The beginning of a text part that is not a file. */
  text: string | null;
  saved: string | null;
}

export interface PixelSize {
  width: number;
  height: number;
}

/** `unchecked`: there is a signature but no secret to verify it. */
export interface SignatureVerdict {
  verdict: 'none' | 'unchecked' | 'valid' | 'invalid';
  reason: string | null;
}

/** `gone`: the sender disconnected, or the receiver stopped, before the answer was sent. */
export type ArrivalAnswer = { kind: 'status'; status: number } | { kind: 'hang' | 'reset' | 'gone' };
