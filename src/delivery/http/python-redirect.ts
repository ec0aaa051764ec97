// Where an answer redirects to, and the request that is sent there: the rules of Python's requests, which Roboflow uses.

import type { OutboundResult, Redirect } from '../../core/delivery/outbound.ts';
import { readUrl, type WireRequest } from './wire-request.ts';

/** The limit of requests. */
export const MAX_REDIRECTS = 30;

type Response = Extract<OutboundResult, { kind: 'response' }>;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** For a longer address only the origin is recorded. */
const LONGEST_RECORDED_URL = 2048;

/** The next request, or null without a redirect. Throws Refusal when the target is not an http(s) URL. */
export function redirectedRequest(request: WireRequest, { status, headers }: Response): WireRequest | null {
  const location = headers['location'];
  if (location === undefined || !REDIRECTS.has(status)) return null;
  // The parser reads Latin-1, requests reads UTF-8.
  const url = readUrl(Buffer.from(location, 'latin1').toString(), request.url);
  url.username = '';
  url.password = '';
  if (url.hash === '') url.hash = request.url.hash;
  const keepsBody = status === 307 || status === 308;
  const kept = [...request.headers].filter(
    ([name]) => name !== 'cookie' && (keepsBody || !isOfBody(name)) && (name !== 'authorization' || keepsCredentials(request.url, url)),
  );
  return { method: methodAfter(status, request.method), url, headers: new Map(kept), body: keepsBody ? request.body : null };
}

/** The record of a redirect from one request to the next. */
export function followed(from: WireRequest, status: number, to: WireRequest): Redirect {
  const url = to.url.href.length <= LONGEST_RECORDED_URL ? to.url.href : `${to.url.origin}/…`;
  return { status, url, method: to.method, isBodyLost: (from.body?.length ?? 0) > 0 && to.body === null };
}

function methodAfter(status: number, method: string): string {
  if (method === 'HEAD') return method;
  return status === 303 || status === 302 || (status === 301 && method === 'POST') ? 'GET' : method;
}

/** The signature covers the body, and is dropped with it. */
function isOfBody(name: string): boolean {
  return name.startsWith('content-') || name === 'webhook-signature';
}

/** The same host and port; or the same host moving up from http to https, each at its default port. */
function keepsCredentials(from: URL, to: URL): boolean {
  if (from.hostname !== to.hostname || from.port !== to.port) return false;
  return from.protocol === to.protocol || (to.protocol === 'https:' && to.port === '');
}
