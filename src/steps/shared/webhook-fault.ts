// Error texts of webhooks, as Python's requests words them, but with URLs stripped of query and credentials: both may
// contain secrets.

import type { OutboundResult } from '../../core/delivery/outbound.ts';
import { parseUrl } from '../../parse-url.ts';
import type { EffectResult } from '../step-type.ts';

/** Null on success. `url` is the original URL, `timeoutSeconds` the setting. */
export function webhookFault(result: OutboundResult, url: string, timeoutSeconds: number): string | null {
  switch (result.kind) {
    case 'response':
      return statusFault(result.status, result.reason, withoutSecrets(result.url));
    case 'refused':
    case 'dropped':
      return result.reason;
    case 'timeout':
      return result.phase === 'total'
        ? 'the receiver did not end its answer within the total time'
        : connectionFault(url, (host, port, path, pool) =>
            result.phase === 'connect'
              ? `${pool}(host='${host}', port=${port}): Max retries exceeded with url: ${path} (Caused by ConnectTimeoutError("Connection to ${host} timed out. (connect timeout=${timeoutSeconds})"))`
              : `${pool}(host='${host}', port=${port}): Read timed out. (read timeout=${timeoutSeconds})`,
          );
    case 'network':
      return networkFault(result, url);
  }
}

/** Says how a redirect changed the message; empty if it did not. requests, and so Roboflow, does not report this. */
export function redirectNote(result: EffectResult, method: string): string {
  const redirects = result.kind === 'response' ? (result.redirects ?? []) : [];
  const changing = redirects.find((redirect) => redirect.method !== method);
  if (changing === undefined) return '';
  const { status, url, method: changed, isBodyLost } = changing;
  return `; a redirect (${status}) to ${withoutSecrets(url)} turned the ${method} into a ${changed}${isBodyLost ? ' without its body' : ''}`;
}

function statusFault(status: number, reason: string, url: string): string | null {
  if (status >= 400 && status < 500) return `${status} Client Error: ${reason} for url: ${url}`;
  if (status >= 500 && status < 600) return `${status} Server Error: ${reason} for url: ${url}`;
  return null;
}

/** In the words of the C library. */
const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: '[Errno 111] Connection refused',
  EHOSTUNREACH: '[Errno 113] No route to host',
  ENETUNREACH: '[Errno 101] Network is unreachable',
};
const LOOKUP_ERRORS: Readonly<Record<string, string>> = {
  ENOTFOUND: '[Errno -2] Name or service not known',
  EAI_AGAIN: '[Errno -3] Temporary failure in name resolution',
};

function networkFault({ code, reason }: Extract<OutboundResult, { kind: 'network' }>, url: string): string {
  const connectError = CONNECT_ERRORS[code];
  const lookupError = LOOKUP_ERRORS[code];
  if (code === 'ECONNRESET') return `('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))`;
  if (connectError === undefined && lookupError === undefined) return reason;
  return connectionFault(url, (host, port, path, pool) => {
    const connection = `${pool.replace('Pool', '')}(host='${host}', port=${port})`;
    const cause =
      connectError === undefined
        ? `NameResolutionError("${connection}: Failed to resolve '${host}' (${lookupError})")`
        : `NewConnectionError("${connection}: Failed to establish a new connection: ${connectError}")`;
    return `${pool}(host='${host}', port=${port}): Max retries exceeded with url: ${path} (Caused by ${cause})`;
  });
}

function connectionFault(text: string, word: (host: string, port: number, path: string, pool: string) => string): string {
  if (parseUrl(text) === null) return 'the receiver cannot be reached';
  const url = new URL(text);
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return word(url.hostname, port, url.pathname, isTls ? 'HTTPSConnectionPool' : 'HTTPConnectionPool');
}

function withoutSecrets(text: string): string {
  if (parseUrl(text) === null) return text;
  const url = new URL(text);
  return `${url.origin}${url.pathname}`;
}
