// Secrets of the environment that workflows may use: a run plans with placeholders, and only what is sent holds the
// secret itself. What comes back from a receiver is searched for the secrets that it was sent.

import { createHmac } from 'node:crypto';
import type { OutboundMessage, OutboundResult } from './core/outbound.ts';
import { beginsWithPlaceholder, formatPlaceholder, MASKED_SECRET, replacePlaceholders } from './core/secret-placeholder.ts';

export interface SecretVault {
  /** Null: not set, or the operator does not allow it. */
  placeholder(runId: string, name: string): string | null;
  /** Hides the placeholders of a run in what callers see. */
  mask(runId: string, text: string): string;
  /** The message with its secrets in place, and which they are. */
  reveal(runId: string, message: OutboundMessage): { message: OutboundMessage; secrets: readonly string[] };
}

export interface SecretVaultOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** Names of variables; one that ends in `*` allows all that begin so. */
  allowed: readonly string[];
  /** Signs placeholders. Must stay the same as long as runs are under way. */
  key: string;
}

/** Shorter ones occur anywhere by chance. */
const SHORTEST_REDACTED = 4;

export function createSecretVault({ environment, allowed, key }: SecretVaultOptions): SecretVault {
  const sign = (runId: string, name: string): string => createHmac('sha256', key).update(`${runId} ${name}`).digest('hex').slice(0, 32);
  const isAllowed = (name: string): boolean =>
    allowed.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  const valueOf = (name: string): string | null => (isAllowed(name) ? (environment[name] ?? null) : null);

  return {
    placeholder: (runId, name) => (valueOf(name) === null ? null : formatPlaceholder(name, sign(runId, name))),
    mask: (runId, text) => replacePlaceholders(text, (name, signature) => (sign(runId, name) === signature ? MASKED_SECRET : null)),
    reveal(runId, message) {
      const secrets = new Set<string>();
      const revealIn = (text: string, encode: (secret: string) => string = (secret) => secret): string =>
        replacePlaceholders(text, (name, signature) => {
          if (sign(runId, name) !== signature) return null;
          // A secret that is no longer set is sent as nothing; the receiver refuses it.
          const secret = valueOf(name) ?? '';
          if (secret !== '') secrets.add(secret);
          return encode(secret);
        });
      return { message: revealMessage(message, revealIn), secrets: [...secrets] };
    },
  };
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
  const { url, headers, body, signingSecret } = message;
  const contentType = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const encode = bodyEncoder(contentType);
  return {
    ...message,
    url: revealUrl(url, reveal),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, reveal(value)])),
    body: body === null ? null : body.map((part) => (part instanceof Uint8Array ? revealBytes(part, reveal, encode) : part)),
    signingSecret: signingSecret === null ? null : reveal(signingSecret),
  };
}

/** A secret that an address begins with is an address itself; elsewhere it is a part of one. */
function revealUrl(url: string, reveal: Reveal): string {
  let isAddress = beginsWithPlaceholder(url);
  return reveal(url, (secret) => {
    const shown = isAddress ? secret : encodeURIComponent(secret);
    isAddress = false;
    return shown;
  });
}

/** How a secret is written into a body of this type. */
function bodyEncoder(contentType: string): (secret: string) => string {
  if (contentType.startsWith('application/json')) return (secret) => JSON.stringify(secret).slice(1, -1);
  if (contentType.startsWith('application/x-www-form-urlencoded')) return (secret) => encodeURIComponent(secret).replaceAll('%20', '+');
  return (secret) => secret;
}

/** Latin-1 takes every byte as one character and back. */
function revealBytes(bytes: Uint8Array, reveal: Reveal, encode: (secret: string) => string): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const revealed = reveal(text, (secret) => Buffer.from(encode(secret), 'utf8').toString('latin1'));
  return revealed === text ? bytes : Buffer.from(revealed, 'latin1');
}

/** What came back, with every secret that was sent hidden in it. */
export function redactResult(result: OutboundResult, secrets: readonly string[]): OutboundResult {
  const hidden = secrets.filter(({ length }) => length >= SHORTEST_REDACTED).flatMap((secret) => [secret, encodeURIComponent(secret)]);
  if (hidden.length === 0) return result;
  const redact = (text: string): string => hidden.reduce((redacted, secret) => redacted.replaceAll(secret, MASKED_SECRET), text);
  switch (result.kind) {
    case 'timeout':
      return result;
    case 'refused':
    case 'network':
      return { ...result, reason: redact(result.reason) };
    case 'response': {
      const { reason, url, headers, body } = result;
      const redactedHeaders = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)]));
      const text = Buffer.from(body).toString('latin1');
      const inBytes = hidden.map((secret) => Buffer.from(secret, 'utf8').toString('latin1'));
      const redactedText = inBytes.reduce((redacted, secret) => redacted.replaceAll(secret, MASKED_SECRET), text);
      return {
        ...result,
        reason: redact(reason),
        url: redact(url),
        headers: redactedHeaders,
        body: redactedText === text ? body : Buffer.from(redactedText, 'latin1'),
      };
    }
  }
}
