// Delivery states: how the result of an attempt is classified, and when the next attempt is due.

import { beginsWithPlaceholder, replacePlaceholders } from '../secrets/placeholder.ts';
import type { HttpMessage, OutboundMessage, OutboundResult } from './outbound.ts';
import { responseObject } from './response-object.ts';
import { type RetryPolicy, retryDelayMs } from './retry.ts';

export const DELIVERY_STATUSES = ['queued', 'sending', 'delivered', 'failed', 'cancelled', 'dropped', 'recorded'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export type Verdict = 'delivered' | 'retryable' | 'permanent';

/** Statuses besides 5xx that are retried. */
const RETRYABLE_STATUSES = new Set([408, 425, 429]);
/** Upper limit of `Retry-After`. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export function classify(message: OutboundMessage, result: OutboundResult): Verdict {
  switch (result.kind) {
    case 'refused':
    case 'dropped':
      return 'permanent';
    case 'timeout':
    case 'network':
      return 'retryable';
    case 'response':
      return message.transport === 'smtp' ? judgeMail(result.status) : judgeAnswer(message, result);
  }
}

function judgeAnswer({ succeeds, accepts = [] }: HttpMessage, { status, body }: Extract<OutboundResult, { kind: 'response' }>): Verdict {
  if (accepts.includes(status)) return 'delivered';
  const isError = status >= 400 && status < 600;
  const isSuccess = succeeds === 'unless_error' ? !isError : status >= 200 && status < 300;
  if (isSuccess && (succeeds !== 'json_ok' || responseObject(body)['ok'] === true)) return 'delivered';
  return status >= 500 || RETRYABLE_STATUSES.has(status) ? 'retryable' : 'permanent';
}

/** RFC 5321: 2xx success, 4xx transient failure, 5xx permanent failure. */
function judgeMail(status: number): Verdict {
  return status < 400 ? 'delivered' : status < 500 ? 'retryable' : 'permanent';
}

export interface DeliveryState {
  status: DeliveryStatus;
  /** In server time; null once the delivery is over. */
  dueAt: number | null;
}

export interface AttemptEnd {
  message: OutboundMessage;
  retry: RetryPolicy;
  result: OutboundResult;
  /** From 1, and the last allowed attempt. */
  attempt: number;
  lastAttempt: number;
  now: number;
  /** By the wall clock, in ms since the epoch. */
  wallNow: number;
  /** In [0, 1). */
  random: number;
}

/** Returns the next state of a delivery. `Retry-After` is honoured up to an hour and never shortens the backoff. */
export function afterAttempt({ message, retry, result, attempt, lastAttempt, now, wallNow, random }: AttemptEnd): DeliveryState {
  const verdict = classify(message, result);
  if (verdict === 'delivered') return { status: 'delivered', dueAt: null };
  const isFinal = verdict === 'permanent' && !(message.transport === 'http' && message.retriesEveryFailure && result.kind === 'response');
  if (isFinal || attempt >= lastAttempt) return { status: 'failed', dueAt: null };
  const attemptsThisRound = Math.max(1, attempt - (lastAttempt - retry.maxRetries - 1));
  const backoffMs = retryDelayMs(retry, attemptsThisRound, random);
  return { status: 'queued', dueAt: now + Math.max(backoffMs, retryAfterMs(result, wallNow) ?? 0) };
}

const SECONDS = /^\d+(?:\.\d*)?(?:[ \t]*,[ \t]*\d+(?:\.\d*)?)*$/;
const DATE = /^(?:[A-Z][a-z]{2,8}, )?\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} (?:GMT|UTC|[+-]\d{4})$/;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/;
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date relative to `now`. Fractions are rounded up; of several
 * fields the longest counts. Null when the header is missing or unreadable.
 */
export function retryAfterMs(result: OutboundResult, now: number): number | null {
  const text = result.kind === 'response' ? result.headers['retry-after']?.trim() : undefined;
  if (text === undefined) return null;
  const wanted = SECONDS.test(text) ? Math.max(...text.split(',').map((part) => Math.ceil(Number(part)))) * 1000 : readDate(text) - now;
  return wanted > 0 ? Math.min(wanted, MAX_RETRY_AFTER_MS) : null;
}

/** In ms; NaN for other text, although Date.parse accepts some of it. */
function readDate(text: string): number {
  if (ASCTIME.test(text)) return Date.parse(`${text} GMT`);
  return DATE.test(text) || ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
}

/**
 * `https://host:443` for HTTP, `smtp://host:25` for mail, `secret:NAME` when the whole address is a secret. The address
 * must be a valid URL. A secret inside it is replaced by its name, which is the same for every run.
 */
export function originOf(message: OutboundMessage): string {
  const byName = (text: string): string => replacePlaceholders(text, (name) => name);
  if (message.transport === 'smtp') return `smtp://${byName(message.host)}:${message.port}`;
  const url = byName(message.url);
  return beginsWithPlaceholder(message.url) ? `secret:${/^\w*/.exec(url)?.[0]}` : new URL(url).origin;
}
