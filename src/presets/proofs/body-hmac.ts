// Computes the HMAC (RFC 2104) of a text that comes in chunks. A text that is short enough to be kept is hashed at its end, by two
// one-shot calls: in a server under load they cost a third of an Hmac object, which OpenSSL sets up for each request.

import { type BinaryToTextEncoding, createHmac, type Hmac, hash, type KeyObject } from 'node:crypto';

/** A key of one hash, ready for any number of texts. */
export interface HmacKey {
  hash: string;
  key: KeyObject;
  /** Comes before the text. */
  inner: Buffer;
  /** Comes before the digest of the inner hash, which is written over its end. */
  outer: Buffer;
}

const BLOCK_BYTES: Readonly<Record<string, number>> = { sha384: 128, sha512: 128 };

export function readHmacKey(name: string, key: KeyObject): HmacKey {
  const bytes = key.export();
  const block = Buffer.alloc(BLOCK_BYTES[name] ?? 64);
  (bytes.length > block.length ? hash(name, bytes, 'buffer') : bytes).copy(block);
  const inner = Buffer.from(block.map((byte) => byte ^ 0x36));
  const outer = Buffer.concat([block.map((byte) => byte ^ 0x5c), hash(name, '', 'buffer')]);
  return { hash: name, key, inner, outer };
}

/** A longer text is hashed as it comes. */
const MAX_KEPT_BYTES = 65_536;

export class BodyHmac {
  readonly #key: HmacKey;
  readonly #kept: Uint8Array[];
  #size = 0;
  #hmac: Hmac | null = null;

  constructor(key: HmacKey) {
    this.#key = key;
    this.#kept = [key.inner];
  }

  update(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#hmac !== null) this.#hmac.update(chunk);
    else {
      this.#kept.push(chunk);
      if (this.#size > MAX_KEPT_BYTES) this.#hmac = this.#hashKept();
    }
  }

  digest(encoding: BinaryToTextEncoding): string {
    if (this.#hmac !== null) return this.#hmac.digest(encoding);
    const { hash: name, inner, outer } = this.#key;
    // As text, because a small buffer of its own costs more than the hash.
    outer.write(hash(name, Buffer.concat(this.#kept, inner.length + this.#size), 'binary'), inner.length, 'latin1');
    return hash(name, outer, encoding);
  }

  #hashKept(): Hmac {
    const hmac = createHmac(this.#key.hash, this.#key.key);
    for (const chunk of this.#kept.splice(0).slice(1)) hmac.update(chunk);
    return hmac;
  }
}
