// Outbound messages and their results as values: a step plans a message, the engine records it as a delivery, and
// delivery/ sends it.

/** A file of the blob store, read when the message is sent. */
export interface BlobPart {
  sha256: string;
  size: number;
}

/**
 * The stored body of the request that started the run, byte for byte. It is the only part of its body, and the storage
 * replaces it by the bytes when it claims or reads the message.
 */
export interface RequestPart {
  request: true;
  size: number;
}

export type BodyPart = Uint8Array | BlobPart | RequestPart;

export function isRequestPart(part: BodyPart): part is RequestPart {
  return 'request' in part;
}

/** Whether the bytes of the message are those of the run's own request. */
export function sendsRequestBody(message: OutboundMessage): boolean {
  const part = message.transport === 'http' ? message.body?.[0] : undefined;
  return part !== undefined && isRequestPart(part);
}

export interface HttpMessage {
  transport: 'http';
  method: string;
  /** Absolute, http or https. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Sent in order. Null: no body. An empty list: an empty chunked body, as Python's requests sends it. */
  body: readonly BodyPart[] | null;
  /** For the connection, and for each idle period after it. */
  timeoutMs: number;
  /** `as_requests`: followed by the rules of Python's requests, each hop under the address policy. */
  redirects: 'refuse' | 'as_requests';
  /**
   * Which responses are a success: 2xx, all but 400 to 599 (Python's raise_for_status), or a 2xx with `"ok": true` in its
   * JSON, as Slack responds.
   */
  succeeds: '2xx' | 'unless_error' | 'json_ok';
  /** Statuses that are a success besides those of `succeeds`. */
  accepts?: readonly number[];
  /** Retries every response that is not a success, not only the retryable ones. */
  retriesEveryFailure?: true;
  /** `whsec_…`: signs by Standard Webhooks. */
  signingSecret: string | null;
  hmac?: MessageHmac;
}

export const HMAC_ALGORITHMS = ['sha1', 'sha256', 'sha512'] as const;
export const HMAC_ENCODINGS = ['hex', 'base64', 'base64url'] as const;

/** A header with an HMAC, computed when the message is sent: only then is the secret known. */
export interface MessageHmac {
  header: string;
  secret: string;
  algorithm: (typeof HMAC_ALGORITHMS)[number];
  encoding: (typeof HMAC_ENCODINGS)[number];
  /** Before the HMAC, as `sha256=`. */
  prefix: string;
  /** Null: of the body. */
  text: string | null;
}

export interface MailMessage {
  transport: 'smtp';
  host: string;
  port: number;
  user: string;
  password: string;
  from: string;
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  subject: string;
  /** One of the two. */
  text: string | null;
  html: string | null;
  attachments: readonly MailAttachment[];
  timeoutMs: number;
}

export interface MailAttachment {
  filename: string;
  content: BodyPart;
  contentType: string | null;
  /** Referenced by `cid:…` in the HTML; null for a plain attachment. */
  cid: string | null;
}

export type OutboundMessage = HttpMessage | MailMessage;

/** A followed redirect. */
export interface Redirect {
  /** 301, 302, 303, 307 or 308. */
  status: number;
  /** The target, and the method of the next request. */
  url: string;
  method: string;
  /** The message had a body, but the next request has none. */
  isBodyLost: boolean;
}

/** The outcome of an attempt as a value: sending never throws for it. */
export type OutboundResult =
  | {
      kind: 'response';
      status: number;
      /** The receiver's reason phrase; for mail the server's last line. */
      reason: string;
      /** The address that answered, after redirects. */
      url: string;
      headers: Readonly<Record<string, string>>;
      /** The part that was read. */
      body: Uint8Array;
      isTruncated: boolean;
      /** Absent when there was none. */
      redirects?: readonly Redirect[];
    }
  | { kind: 'timeout'; phase: 'connect' | 'headers' | 'body' | 'total' }
  /** Never sent: the address policy forbids it, or the message cannot be put on the wire. */
  | { kind: 'refused'; reason: string }
  /** Dropped by the overflow policy. The result of a whole delivery, never of an attempt. */
  | { kind: 'dropped'; reason: string }
  | { kind: 'network'; code: string; reason: string };
