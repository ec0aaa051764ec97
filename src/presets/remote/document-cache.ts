// Documents that are fetched by URL and kept for a time: bounded in number, in fetches at a time, and in fetches that fail,
// because anyone may send a request that names a URL.

import { type FetchText, Unreachable } from './fetch-text.ts';

export interface DocumentCacheOptions<Document> {
  fetchText: FetchText;
  /** Throws an Error that tells why the text is no such document. */
  read(text: string): Document;
  keepMs: number;
}

const MAX_KEPT = 64;
const MAX_FETCHING = 8;
/** A URL whose fetch failed is not fetched again before. */
const FAILURE_MS = 10_000;

export class DocumentCache<Document> {
  readonly #options: DocumentCacheOptions<Document>;
  readonly #kept = new Map<string, { document: Document; at: number }>();
  readonly #failed = new Map<string, { error: Unreachable; at: number }>();
  readonly #fetching = new Map<string, Promise<Document>>();

  constructor(options: DocumentCacheOptions<Document>) {
    this.#options = options;
  }

  /** A document that is older than `maxAgeMs` is fetched again. `now` is wall time in ms. Rejects with Unreachable. */
  async get(url: string, now: number, maxAgeMs = this.#options.keepMs): Promise<Document> {
    const kept = this.#kept.get(url);
    if (kept !== undefined && now - kept.at <= maxAgeMs) return kept.document;
    const failed = this.#failed.get(url);
    if (failed !== undefined && now - failed.at <= FAILURE_MS) throw failed.error;
    const fetching = this.#fetching.get(url);
    if (fetching !== undefined) return fetching;
    if (this.#fetching.size >= MAX_FETCHING) throw new Unreachable('too many keys of senders are being fetched; send the request again');
    const document = this.#fetch(url, now).finally(() => this.#fetching.delete(url));
    this.#fetching.set(url, document);
    return document;
  }

  async #fetch(url: string, now: number): Promise<Document> {
    try {
      const document = this.#options.read(await this.#options.fetchText(url));
      put(this.#kept, url, { document, at: now });
      return document;
    } catch (error) {
      const failure = new Unreachable(`the key of the sender cannot be fetched from ${new URL(url).host}: ${(error as Error).message}`);
      put(this.#failed, url, { error: failure, at: now });
      throw failure;
    }
  }
}

/** Drops the entry that was put in first when the map is full. */
function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  if (map.size >= MAX_KEPT) map.delete(map.keys().next().value as string);
  map.set(key, value);
}
