// Sends one mail over SMTP, on a connection that the address policy allows. The server's answer becomes a result like
// that of an HTTP receiver: 250 is success, 4xx is retryable, 5xx is permanent.

import { Readable } from 'node:stream';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { MailAttachment, MailMessage, OutboundResult } from '../../core/delivery/outbound.ts';
import { type Dial, tlsOptions } from '../guarded-connector.ts';
import { type OpenBlob, readBlob } from '../http/message-body.ts';
import { totalLimitMs } from '../http/total-limit.ts';
import { ABORTED, resultOfError } from '../network-fault.ts';
import { Refusal } from '../refusal.ts';
import type { SendOptions } from '../sender.ts';

export interface MailSenderOptions {
  dial: Dial;
  openBlob: OpenBlob;
  /** Certificates to trust beside those of the system, as PEM. */
  ca?: string | undefined;
  /** For the whole attempt; default `totalLimitMs`. */
  totalTimeoutMs?: number | undefined;
}

export interface MailSender {
  send(message: MailMessage, options: SendOptions): Promise<OutboundResult>;
}

interface WireAttachment {
  filename: string;
  content: Buffer | Readable;
  contentType?: string;
  cid?: string;
}

/** Fields of nodemailer's result that its types lack. */
interface Accepted {
  response: string;
  /** Recipients that the server refused while it accepted others. */
  rejectedErrors?: readonly { response?: string }[];
}

/** TLS from the first byte; on any other port STARTTLS, if the server offers it. */
const SMTPS_PORT = 465;

export function createMailSender({ dial, openBlob, ca, totalTimeoutMs }: MailSenderOptions): MailSender {
  return {
    async send(message, options) {
      const total = AbortSignal.timeout(totalTimeoutMs ?? totalLimitMs(message.timeoutMs));
      const signal = AbortSignal.any([options.signal, total]);
      const attachments = message.attachments.map((attachment) => wireAttachment(attachment, openBlob));
      try {
        const mail = { ...wireMail(message, options), attachments, signal };
        const { response, rejectedErrors = [] } = (await connectTransport(message, dial, ca).sendMail(mail)) as Accepted;
        return responseOf(message, [response, ...rejectedErrors.map((error) => error.response ?? '')].join('\n'), response);
      } catch (error) {
        if (options.signal.aborted) return ABORTED;
        return total.aborted ? { kind: 'timeout', phase: 'total' } : resultOfFault(message, error);
      } finally {
        for (const { content } of attachments) if (content instanceof Readable) content.destroy();
      }
    },
  };
}

function connectTransport({ host, port, user, password, timeoutMs }: MailMessage, dial: Dial, ca: string | undefined) {
  const isTls = port === SMTPS_PORT;
  return createTransport({
    host,
    port,
    secure: isTls,
    tls: tlsOptions(host, ca),
    ...(user === '' ? {} : { auth: { user, pass: password } }),
    // For the connection and the server's greeting together.
    connectionTimeout: 2 * timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket: (_, callback) => {
      dial({ hostname: host, port, isTls, timeoutMs }).then((connection) => callback(null, { connection, secured: isTls }), callback);
    },
  });
}

/** Throws Refusal. */
function wireMail(message: MailMessage, { deliveryId, now }: SendOptions): SendMailOptions {
  const { from, to, cc, bcc, subject, text, html } = message;
  if ([from, ...to, ...cc, ...bcc].some((address) => /[\r\n]/.test(address)))
    throw new Refusal('an address of the mail holds a line break');
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'sluice.invalid';
  return {
    from,
    to: [...to],
    cc: [...cc],
    bcc: [...bcc],
    subject,
    ...(html === null ? { text: text ?? '' } : { html }),
    // The same in every attempt, so that duplicates can be recognised.
    messageId: `<${deliveryId}@${domain}>`,
    date: new Date(now),
  };
}

function wireAttachment({ filename, content, contentType, cid }: MailAttachment, openBlob: OpenBlob): WireAttachment {
  return {
    filename,
    content: content instanceof Uint8Array ? Buffer.from(content) : Readable.from(readBlob(content, openBlob)),
    ...(contentType === null ? {} : { contentType }),
    ...(cid === null ? {} : { cid }),
  };
}

interface MailFault {
  code?: string;
  /** The system's code, if nodemailer replaced it by its own. */
  originalCode?: string;
  message: string;
  /** The server's answer. */
  response?: string;
  responseCode?: number;
}

/** Codes of nodemailer for a mail that it never offered to the server. */
const UNSENDABLE = new Set(['EENVELOPE', 'EMESSAGE', 'EAUTH', 'ENOAUTH']);

function resultOfFault(message: MailMessage, error: unknown): OutboundResult {
  const { code = 'UNKNOWN', originalCode, response, responseCode, message: text } = error as MailFault;
  if (error instanceof Refusal) return resultOfError(error);
  if (response !== undefined && responseCode !== undefined) return responseOf(message, response, response);
  if (UNSENDABLE.has(code)) return resultOfError(new Refusal(text));
  if (code === 'ETIMEDOUT') return { kind: 'timeout', phase: 'headers' };
  return resultOfError(originalCode === undefined ? error : { code: originalCode, message: text });
}

/** `answer` decides the status; the body holds the server's full answer. */
function responseOf({ host, port }: MailMessage, said: string, answer: string): OutboundResult {
  return {
    kind: 'response',
    status: Number(answer.slice(0, 3)),
    reason: answer.trimEnd().split('\n').at(-1) as string,
    url: `${port === SMTPS_PORT ? 'smtps' : 'smtp'}://${host}:${port}`,
    headers: {},
    body: Buffer.from(said),
    isTruncated: false,
  };
}
