// Mails through the operator's own SMTP server: recipients, and the properties that both versions of the block share.

import type { MailAttachment, MailMessage, OutboundResult } from '../../../core/delivery/outbound.ts';
import type { Fault } from '../../../core/fault.ts';
import type { JsonSchema } from '../../../core/schema.ts';
import { noAnswerText, refusedNotification } from '../../shared/notification.ts';
import { integer, nullable, selectors, text, textOrTexts } from '../../shared/property-schemas.ts';
import { readInteger, readLine, readLines } from '../../shared/setting-values.ts';

export interface EmailManifest {
  subject: unknown;
  sender_email?: unknown;
  receiver_email: unknown;
  cc_receiver_email?: unknown;
  bcc_receiver_email?: unknown;
  smtp_server?: unknown;
  smtp_port?: unknown;
  sender_email_password?: unknown;
  attachments?: Readonly<Record<string, unknown>>;
}

const DEFAULT_PORT = 465;
const LAST_PORT = 65_535;

export const emailProperties = {
  subject: text('the subject of the e-mail'),
  sender_email: text("the sender's address, also the user name at the SMTP server, or a selector of it"),
  receiver_email: textOrTexts('the addresses of the receivers'),
  cc_receiver_email: nullable(textOrTexts('addresses that receive a copy')),
  bcc_receiver_email: nullable(textOrTexts('addresses that receive a copy and are hidden from the other receivers')),
  smtp_server: text('the host of the SMTP server, or a selector of it'),
  sender_email_password: text('the password of the user; use a selector of a secret'),
  smtp_port: integer('the port of the SMTP server; the connection uses TLS', { default: DEFAULT_PORT }),
  attachments: selectors('the files by name: selectors of text, received files or images'),
} satisfies Record<string, JsonSchema>;

/** A selector may also return an empty list, which is reported when the step runs. */
export function emailFaults({ receiver_email: receiver }: EmailManifest): Fault[] {
  return Array.isArray(receiver) && receiver.length === 0 ? [{ path: 'receiver_email', message: NO_RECEIVER }] : [];
}

const NO_RECEIVER = 'E-mail notification must have at least one receiver defined.';

const TIMEOUT_MS = 30_000;

interface MailContent {
  text: string | null;
  html: string | null;
  attachments: readonly MailAttachment[];
}

/** Returns the outcome when there is no mail to send. Throws SettingFault. */
export function mailMessage(manifest: EmailManifest, content: MailContent): MailMessage | ReturnType<typeof refusedNotification> {
  const to = readLines('receiver_email', manifest.receiver_email);
  if (to.length === 0) return refusedNotification(NO_RECEIVER);
  const port = readInteger('smtp_port', manifest.smtp_port ?? DEFAULT_PORT);
  if (port < 1 || port > LAST_PORT)
    return refusedNotification(`Failed to send e-mail. Internal error details: smtp_port must be from 1 to ${LAST_PORT}, but is ${port}`);
  const sender = readLine('sender_email', manifest.sender_email);
  return {
    transport: 'smtp',
    host: readLine('smtp_server', manifest.smtp_server),
    port,
    user: sender,
    password: readLine('sender_email_password', manifest.sender_email_password),
    from: sender,
    to,
    cc: readLines('cc_receiver_email', manifest.cc_receiver_email),
    bcc: readLines('bcc_receiver_email', manifest.bcc_receiver_email),
    subject: readLine('subject', manifest.subject),
    ...content,
    timeoutMs: TIMEOUT_MS,
  };
}

/** Null when the server accepted the mail. */
export function mailFault(result: OutboundResult): string | null {
  if (result.kind !== 'response') return noAnswerText(result);
  return result.status < 400 ? null : `${result.status} ${result.reason}`.trim();
}
