// Presents deliveries for the admin API, without secrets. Messages and responses are included only for a single delivery.

import type { BodyPart, MailMessage, OutboundMessage, OutboundResult, Redirect } from '../../core/delivery/outbound.ts';
import { MASKED_SECRET } from '../../core/secrets/placeholder.ts';
import type { AttemptRecord, DeliveryRecord, DeliverySummary, DeliveryTarget } from '../../storage/delivery-records.ts';
import { presentBytes } from './shared/present-bytes.ts';
import { type MaskSecrets, shownAddress, shownHeaders } from './shown-secrets.ts';

/** Masks the secrets of one run. */
type Mask = (text: string) => string;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export interface PresentedDelivery {
  delivery_id: string;
  run_id: string;
  app_id: string;
  sink_id: string;
  step: string;
  status: string;
  transport: 'http' | 'smtp';
  /** Null for mail. */
  method: string | null;
  url: string;
  /** Only for mail. */
  to?: string[];
  attempt_count: number;
  max_attempts: number;
  last_result: { kind: OutboundResult['kind']; status: number | null; error: string | null } | null;
  next_attempt_at: string | null;
  created_at: string | null;
  finished_at: string | null;
  dropped_reason: string | null;
}

export function presentDelivery(delivery: DeliverySummary, maskSecrets: MaskSecrets): PresentedDelivery {
  const { id, runId, appId, sinkId, step, status, attempts, lastAttempt, lastResult, dueAt, createdAt, finishedAt, droppedReason } =
    delivery;
  const mask: Mask = (text) => maskSecrets(runId, text);
  return {
    delivery_id: id,
    run_id: runId,
    app_id: appId,
    sink_id: sinkId,
    step,
    status,
    ...presentTarget(delivery.target, mask),
    attempt_count: attempts,
    max_attempts: lastAttempt,
    last_result: lastResult === null ? null : presentResult(lastResult, mask),
    next_attempt_at: status === 'queued' ? iso(dueAt) : null,
    created_at: iso(createdAt),
    finished_at: iso(finishedAt),
    dropped_reason: droppedReason,
  };
}

/** For a run's list of deliveries. */
export function presentDeliveryBriefly({ id, step, status, attempts }: DeliverySummary): object {
  return { delivery_id: id, step, status, attempt_count: attempts };
}

export function presentDeliveryInFull(delivery: DeliveryRecord, maskSecrets: MaskSecrets): object {
  const mask: Mask = (text) => maskSecrets(delivery.runId, text);
  return {
    ...presentDelivery(delivery, maskSecrets),
    message: presentMessage(delivery.message, mask),
    attempts: delivery.tries.map((attempt) => presentAttempt(attempt, mask)),
  };
}

function presentTarget(target: DeliveryTarget, mask: Mask): Pick<PresentedDelivery, 'transport' | 'method' | 'url' | 'to'> {
  if (target.transport === 'http') return { transport: 'http', method: target.method, url: shownAddress(mask(target.url)) };
  return { transport: 'smtp', method: null, url: mask(`smtp://${target.host}:${target.port}`), to: target.to.map(mask) };
}

function presentResult(result: OutboundResult, mask: Mask): NonNullable<PresentedDelivery['last_result']> {
  return { kind: result.kind, status: result.kind === 'response' ? result.status : null, error: errorOf(result, mask) };
}

/** One line; null after a response. */
function errorOf(result: OutboundResult, mask: Mask): string | null {
  switch (result.kind) {
    case 'response':
      return null;
    case 'timeout':
      return `no answer in time (${result.phase})`;
    case 'network':
      return oneLine(mask(`${result.reason} (${result.code})`));
    case 'refused':
    case 'dropped':
      return oneLine(mask(result.reason));
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}

function presentMessage(message: OutboundMessage, mask: Mask): object {
  if (message.transport === 'smtp') return presentMail(message, mask);
  const { headers, body, timeoutMs, signingSecret, hmac } = message;
  const files = (body ?? []).filter((part) => !(part instanceof Uint8Array));
  return {
    headers: shownHeaders(maskValues(headers, mask)),
    body: body === null ? null : presentParts(body, mask),
    // Received files are listed without their content.
    ...(files.length === 0 ? {} : { files }),
    timeout_ms: timeoutMs,
    is_signed: signingSecret !== null || hmac !== undefined,
  };
}

function presentMail(message: MailMessage, mask: Mask): object {
  const { user, password, from, cc, bcc, subject, text, html, attachments, timeoutMs } = message;
  return {
    user: mask(user),
    password: password === '' ? '' : MASKED_SECRET,
    from: mask(from),
    cc: cc.map(mask),
    bcc: bcc.map(mask),
    subject: mask(subject),
    text: text === null ? null : presentBytes(Buffer.from(mask(text))),
    html: html === null ? null : presentBytes(Buffer.from(mask(html))),
    attachments: attachments.map(({ filename, contentType, content }) => ({
      filename: mask(filename),
      content_type: contentType,
      size: sizeOf(content),
    })),
    timeout_ms: timeoutMs,
  };
}

function presentAttempt({ attempt, startedAt, durationMs, result }: AttemptRecord, mask: Mask): object {
  return {
    attempt,
    started_at: iso(startedAt),
    duration_ms: durationMs,
    ...presentResult(result, mask),
    ...(result.kind === 'response' ? { response: presentResponse(result, mask) } : {}),
  };
}

function presentResponse(result: Extract<OutboundResult, { kind: 'response' }>, mask: Mask): object {
  const { reason, url, headers, body, isTruncated, redirects } = result;
  return {
    reason: mask(reason),
    url: shownAddress(mask(url)),
    headers: shownHeaders(maskValues(headers, mask)),
    body: presentBytes(maskBytes(body, mask), isTruncated),
    ...(redirects === undefined ? {} : { redirects: redirects.map((redirect) => presentRedirect(redirect, mask)) }),
  };
}

function presentRedirect({ status, url, method, isBodyLost }: Redirect, mask: Mask): object {
  return { status, url: shownAddress(mask(url)), method, is_body_lost: isBodyLost };
}

function presentParts(parts: readonly BodyPart[], mask: Mask): object {
  const firstFile = parts.findIndex((part) => !(part instanceof Uint8Array));
  const shown = (firstFile === -1 ? parts : parts.slice(0, firstFile)) as readonly Uint8Array[];
  const size = parts.reduce((total, part) => total + sizeOf(part), 0);
  return { ...presentBytes(maskBytes(Buffer.concat(shown), mask), firstFile !== -1), size };
}

function sizeOf(part: BodyPart): number {
  return part instanceof Uint8Array ? part.byteLength : part.size;
}

function maskValues(fields: Readonly<Record<string, string>>, mask: Mask): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mask(value)]));
}

/** Latin-1 maps every byte to one character and back. */
function maskBytes(bytes: Uint8Array, mask: Mask): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const masked = mask(text);
  return masked === text ? bytes : Buffer.from(masked, 'latin1');
}
