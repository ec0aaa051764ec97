// Secrets of the environment for workflows, and the reply URLs of runs, which are secrets too. A run plans with placeholders;
// only a message on the wire holds the secret itself. Answers of a receiver are searched for the secrets that it was sent.

import { createHmac } from 'node:crypto';
import type { OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';
import { parseReplyReference, type ReplyReference } from '../core/reply/reply.ts';
import { createSecretHider, type HideSecrets } from '../core/secrets/hide-echo.ts';
import {
  beginsWithPlaceholder,
  formatPlaceholder,
  MASKED_SECRET,
  mayHoldPlaceholder,
  replacePlaceholders,
} from '../core/secrets/placeholder.ts';
import { addQuery } from '../core/values/percent-encoding.ts';

export interface SecretVault {
  /** Null when the secret is not set, or not allowed by the operator. */
  placeholder(runId: string, name: string): string | null;
  /** Hides the placeholders of a run in text for callers. */
  mask(runId: string, text: string): string;
  /** Returns the message with its secrets in place, and a function that hides them in the answer. */
  reveal(runId: string, message: OutboundMessage): { message: OutboundMessage; hide: HideSecrets };
}

export interface SecretVaultOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** Names of variables; a trailing `*` matches any ending. */
  allowed: readonly string[];
  /** Signs placeholders. Must not change while runs are unfinished. */
  key: string;
  /** Returns the URL that a reference stands for. Null: the server does not know its public address. */
  replyUrl: ReplyUrl | null;
}

export type ReplyUrl = (runId: string, reference: ReplyReference) => string;

export function createSecretVault({ environment, allowed, key, replyUrl }: SecretVaultOptions): SecretVault {
  const sign = (runId: string, name: string): string => createHmac('sha256', key).update(`${runId} ${name}`).digest('hex').slice(0, 32);
  const isAllowed = (name: string): boolean =>
    allowed.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  const secretOf = (runId: string, name: string): string | null => {
    const reference = parseReplyReference(name);
    if (reference !== null) return replyUrl?.(runId, reference) ?? null;
    return isAllowed(name) ? (environment[name] ?? null) : null;
  };

  // A receiver must not bring a placeholder back into the run, where it would be revealed again.
  const mask = (runId: string, text: string): string =>
    replacePlaceholders(text, (name, signature) => (sign(runId, name) === signature ? MASKED_SECRET : null));

  return {
    mask,
    placeholder: (runId, name) => (secretOf(runId, name) === null ? null : formatPlaceholder(name, sign(runId, name))),
    reveal(runId, message) {
      if (!mayHoldSecrets(message)) return { message, hide: (text) => mask(runId, text) };
      const secrets = new Set<string>();
      const revealIn = (text: string, encode: (secret: string) => string = (secret) => secret): string =>
        replacePlaceholders(text, (name, signature) => {
          if (sign(runId, name) !== signature) return null;
          // A secret that is no longer set is sent as an empty text, which the receiver refuses.
          const secret = secretOf(runId, name) ?? '';
          if (secret !== '') secrets.add(secret);
          // A receiver that stores or shows the last part alone has the whole capability.
          if (parseReplyReference(name) !== null) secrets.add(secret.slice(secret.lastIndexOf('/') + 1));
          return encode(secret);
        });
      const revealed = revealMessage(message, revealIn);
      const hideSecrets = createSecretHider([...secrets]);
      return { message: revealed, hide: (text, isCut) => mask(runId, hideSecrets(text, isCut)) };
    },
  };
}

function mayHoldSecrets(message: OutboundMessage): boolean {
  if (message.transport === 'smtp') return true;
  const { url, headers, body, signingSecret, hmac } = message;
  const parts = (body ?? []).filter((part) => part instanceof Uint8Array).map(latin1Of);
  return [url, signingSecret ?? '', hmac?.secret ?? '', hmac?.text ?? '', ...Object.values(headers), ...parts].some(mayHoldPlaceholder);
}

type Reveal = (text: string, encode?: (secret: string) => string) => string;

function revealMessage(message: OutboundMessage, reveal: Reveal): OutboundMessage {
  if (message.transport === 'smtp') {
    const { host, user, password, subject, text, html, from } = message;
    const escapeHtml = (secret: string): string => secret.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
    return {
      ...message,
      host: reveal(host),
      user: reveal(user),
      password: reveal(password),
      from: reveal(from),
      subject: reveal(subject),
      text: text === null ? null : reveal(text),
      html: html === null ? null : reveal(html, escapeHtml),
    };
  }
  const { url, headers, body, signingSecret, hmac } = message;
  const contentType = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const encode = bodyEncoder(contentType);
  return {
    ...message,
    url: revealUrl(url, reveal),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, reveal(value)])),
    body: body === null ? null : body.map((part) => (part instanceof Uint8Array ? revealBytes(part, reveal, encode) : part)),
    signingSecret: signingSecret === null ? null : reveal(signingSecret),
    ...(hmac === undefined ? {} : { hmac: { ...hmac, secret: reveal(hmac.secret), text: hmac.text === null ? null : reveal(hmac.text) } }),
  };
}

/** At the beginning of an address a secret is an address itself, perhaps with a query; elsewhere it is a part of one. */
function revealUrl(url: string, reveal: Reveal): string {
  if (!beginsWithPlaceholder(url)) return reveal(url, encodeURIComponent);
  const [address = '', ...query] = url.split('?');
  let isFirst = true;
  const revealed = reveal(address, (secret) => {
    const shown = isFirst ? secret : encodeURIComponent(secret);
    isFirst = false;
    return shown;
  });
  return addQuery(revealed, reveal(query.join('?'), encodeURIComponent));
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json(?![\w.+-])/i;

/** How to escape a secret in a body of this type. */
function bodyEncoder(contentType: string): (secret: string) => string {
  if (JSON_TYPE.test(contentType)) return (secret) => JSON.stringify(secret).slice(1, -1);
  if (contentType.startsWith('application/x-www-form-urlencoded')) return (secret) => encodeURIComponent(secret).replaceAll('%20', '+');
  return (secret) => secret;
}

/** Maps every byte to one character and back. */
function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function revealBytes(bytes: Uint8Array, reveal: Reveal, encode: (secret: string) => string): Uint8Array {
  const text = latin1Of(bytes);
  const revealed = reveal(text, (secret) => Buffer.from(encode(secret), 'utf8').toString('latin1'));
  return revealed === text ? bytes : Buffer.from(revealed, 'latin1');
}

/** The result with all secrets hidden. */
export function redactResult(result: OutboundResult, hide: HideSecrets): OutboundResult {
  switch (result.kind) {
    case 'timeout':
      return result;
    case 'refused':
    case 'dropped':
    case 'network':
      return { ...result, reason: hide(result.reason) };
    case 'response': {
      const { reason, url, headers, body, isTruncated, redirects } = result;
      const text = Buffer.from(body).toString('latin1');
      const hidden = hide(text, isTruncated);
      return {
        ...result,
        reason: hide(reason),
        url: hide(url),
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, hide(value)])),
        body: hidden === text ? body : Buffer.from(hidden, 'latin1'),
        ...(redirects === undefined ? {} : { redirects: redirects.map((redirect) => ({ ...redirect, url: hide(redirect.url) })) }),
      };
    }
  }
}
