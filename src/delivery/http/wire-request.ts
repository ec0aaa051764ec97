// Turns a message into a request ready to send: parses the URL and merges the headers. Refuses what cannot be sent.

import type { BodyPart, HttpMessage } from '../../core/delivery/outbound.ts';
import { Refusal } from '../refusal.ts';
import { addMessageHeaders, setHeader, type WireHeaders } from './message-headers.ts';

export interface WireRequest {
  method: string;
  /** Without user and password. */
  url: URL;
  headers: WireHeaders;
  /** Null without a body. An empty list stands for an empty body, sent chunked. */
  body: readonly BodyPart[] | null;
}

export interface WireDefaults {
  userAgent: string;
  idempotencyKey: string;
  deliveryId: string;
  /** Of this attempt, in seconds. */
  timestamp: string;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Throws Refusal. */
export function writeRequest(message: HttpMessage, { userAgent, idempotencyKey, deliveryId, timestamp }: WireDefaults): WireRequest {
  const { method } = message;
  if (!METHOD.test(method) || method === 'CONNECT') throw new Refusal(`${JSON.stringify(method)} is not a method of HTTP`);
  const url = readUrl(message.url);
  const headers: WireHeaders = new Map();
  setHeader(headers, 'User-Agent', userAgent);
  setHeader(headers, 'Accept', '*/*');
  setHeader(headers, 'Idempotency-Key', idempotencyKey);
  setHeader(headers, 'webhook-id', deliveryId);
  setHeader(headers, 'webhook-timestamp', timestamp);
  if (url.username !== '' || url.password !== '') setHeader(headers, 'Authorization', takeCredentials(url));
  addMessageHeaders(headers, message.headers);
  return { method, url, headers, body: message.body };
}

/** Throws Refusal. The error does not repeat the URL: its query may hold a secret. */
export function readUrl(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new Refusal('the URL cannot be read; it must be absolute, as https://example.org/hook');
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new Refusal(`the URL begins with ${url.protocol} and must begin with http: or https:`);
}

function takeCredentials(url: URL): string {
  const credentials = Buffer.from(`${unescaped(url.username)}:${unescaped(url.password)}`);
  url.username = '';
  url.password = '';
  return `Basic ${credentials.toString('base64')}`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
