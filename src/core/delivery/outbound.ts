// What leaves the server, and what comes of it, as values: a step plans a message, the engine records it as a delivery,
// and delivery/ sends it.

/** A file of the blob store, read when the message is sent. */
export interface BlobPart {
  sha256: string;
  size: number;
}

export type BodyPart = Uint8Array | BlobPart;

export interface HttpMessage {
  transport: 'http';
  method: string;
  /** Absolute, http or https. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Sent one after the other. Null: no body. An empty list: an empty body sent chunked, as Python's requests does. */
  body: readonly BodyPart[] | null;
  /** For the connection, and for each silence of the receiver after it. */
  timeoutMs: number;
  /** `as_requests`: followed by the rules of Python's requests, each hop under the address policy. */
  redirects: 'refuse' | 'as_requests';
  /**
   * Which answers are a success: 2xx, whatever Python's raise_for_status lets pass (all but 400 to 599), or a 2xx with
   * `"ok": true` in its JSON, as Slack answers.
   */
  succeeds: '2xx' | 'unless_error' | 'json_ok';
  /** Every answer that is no success is tried again, and not only those after which that makes sense. */
  retriesEveryFailure?: true;
  /** `whsec_…`: signs by Standard Webhooks. */
  signingSecret: string | null;
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
  /** Shown where the HTML says `cid:…`; null for a plain attachment. */
  cid: string | null;
}

export type OutboundMessage = HttpMessage | MailMessage;

/** One that was followed. */
export interface Redirect {
  /** 301, 302, 303, 307 or 308. */
  status: number;
  /** Where it led, and with which method. */
  url: string;
  method: string;
  /** The message had a body, and what was sent on has none. */
  isBodyLost: boolean;
}

/** What the outside world did, as a value: sending never throws for it. */
export type OutboundResult =
  | {
      kind: 'response';
      status: number;
      /** The receiver's reason phrase; for mail the server's last line. */
      reason: string;
      /** The address that answered, after redirects. */
      url: string;
      headers: Readonly<Record<string, string>>;
      /** As far as it was read. */
      body: Uint8Array;
      isTruncated: boolean;
      /** Left out where there was none. */
      redirects?: readonly Redirect[];
    }
  | { kind: 'timeout'; phase: 'connect' | 'headers' | 'body' | 'total' }
  /** Never sent: the address policy forbids it, or the message cannot be put on the wire. */
  | { kind: 'refused'; reason: string }
  /** Not sent, or not tried again: its overflow policy says so. Comes of a delivery as a whole, and of no attempt. */
  | { kind: 'dropped'; reason: string }
  | { kind: 'network'; code: string; reason: string };
