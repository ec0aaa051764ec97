// Sends requests to one server over global fetch, with its address, token, time limit, JSON and readable errors.

import { parseUrl } from '../parse-url.ts';
import { foreignAnswer, refusal, UnreachableError, unreachable } from './client-error.ts';

/** Replace it to keep numbers that a JavaScript number cannot represent. */
export interface JsonCodec {
  parse(text: string): unknown;
  stringify(value: unknown): string;
}

export interface ClientOptions {
  /** `http://127.0.0.1:9657`, with the path prefix of a proxy if there is one. */
  url: string;
  /** The admin token; for the stream of a run, the sink's token is enough. */
  token?: string | undefined;
  json?: JsonCodec;
  /** For answers that are not streams. */
  timeoutMs?: number;
}

export interface CallOptions {
  query?: object;
  body?: unknown;
  signal?: AbortSignal;
  /** ETag of the state to edit, or the version of a workflow in quotes; rejects with RefusedError and status 412 when the state has changed. */
  ifMatch?: string | undefined;
  /** As `ifMatch`, for what is not there yet. */
  ifNoneMatch?: '*' | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** All calls reject with RefusedError or UnreachableError, or with the reason of an aborted signal. */
export class ServerCalls {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly json: JsonCodec;
  readonly #authorization: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  /** Throws when the address or the token is malformed. */
  constructor({ url, token, json = JSON, timeoutMs = DEFAULT_TIMEOUT_MS }: ClientOptions) {
    this.baseUrl = readBaseUrl(url);
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw new Error('the token must be visible ASCII characters without spaces');
    this.json = json;
    this.#authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves to the parsed answer; null when it is empty. */
  async call<Answer>(method: string, path: string, options?: CallOptions): Promise<Answer> {
    return (await this.callWithTag<Answer>(method, path, options)).answer;
  }

  /** As `call`, with the answer's ETag, or null. */
  async callWithTag<Answer>(method: string, path: string, options: CallOptions = {}): Promise<{ answer: Answer; etag: string | null }> {
    const { query = {}, body, signal, ifMatch, ifNoneMatch } = options;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const response = await this.#fetch(`${this.baseUrl}${path}${queryText(query)}`, {
      method,
      headers: {
        accept: 'application/json',
        ...this.#authorization,
        ...(body === undefined ? {} : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
      },
      ...(body === undefined ? {} : { body: this.json.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(this.baseUrl, error);
    });
    return { answer: readAnswer(this.json, response, text) as Answer, etag: response.headers.get('etag') };
  }

  /** Resolves to a response of status 2xx with any body. Has no time limit except the signal. */
  send(url: string, request: RequestInit): Promise<Response> {
    return this.#sendAs(url, 'application/json', request);
  }

  /** Resolves to a response of status 2xx whose body is an event stream. */
  openStream(url: string, request: RequestInit = {}): Promise<Response> {
    return this.#open(url, 'text/event-stream', request);
  }

  /** Resolves to a response of status 2xx with an unread body of this type. */
  download(path: string, mediaType: string, { query = {}, signal }: Omit<CallOptions, 'body'> = {}): Promise<Response> {
    return this.#open(`${this.baseUrl}${path}${queryText(query)}`, mediaType, { signal: signal ?? null });
  }

  async #open(url: string, mediaType: string, request: RequestInit): Promise<Response> {
    const response = await this.#sendAs(url, mediaType, request);
    if (response.headers.get('content-type')?.startsWith(mediaType) === true) return response;
    // 204: the run has ended and no event follows.
    if (response.status === 204 && response.headers.has('x-run-id')) return response;
    await response.body?.cancel();
    throw new UnreachableError(foreignAnswer(response));
  }

  #sendAs(url: string, mediaType: string, request: RequestInit): Promise<Response> {
    const headers = { accept: mediaType, ...this.#authorization, ...Object.fromEntries(new Headers(request.headers)) };
    return this.#fetch(url, { ...request, headers });
  }

  async #fetch(url: string, request: RequestInit): Promise<Response> {
    const response = await fetch(url, { redirect: 'manual', ...request }).catch((error: unknown) => {
      if (request.signal?.aborted === true && (error as Error).name !== 'TimeoutError') throw error;
      throw unreachable(url.startsWith(this.baseUrl) ? this.baseUrl : new URL(url).origin, error);
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** Escapes the values of a path: at`/apps/${id}`. Throws for a value that would change the path. */
export function at(parts: TemplateStringsArray, ...values: string[]): string {
  const wrong = values.find((value) => /^\.{0,2}$/.test(value));
  if (wrong !== undefined) throw new Error(`"${wrong}" is not an id`);
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

function readBaseUrl(text: string): string {
  const url = parseUrl(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error(`"${text}" is not the address of a server; write it as http://127.0.0.1:9657`);
  if (url.username !== '' || url.password !== '')
    throw new Error('the address of a server must not have a user name or password; give a token');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function queryText(query: object): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) pairs.set(name, String(value));
  return pairs.size === 0 ? '' : `?${pairs}`;
}

function readAnswer(json: JsonCodec, response: Response, text: string): unknown {
  if (text === '') return null;
  try {
    return json.parse(text);
  } catch (error) {
    throw new UnreachableError(foreignAnswer(response), error);
  }
}
