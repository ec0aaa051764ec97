// Computes the HMAC (RFC 2104) of a text that comes in chunks. A text that is short enough to be kept is hashed at its end, by two
// one-shot calls: in a server under load they cost a third of an Hmac object, which OpenSSL sets up for each request.

import { type BinaryToTextEncoding, createHmac, type Hmac, hash, type KeyObject } from 'node:crypto';

/** A key of one hash, ready for any number of texts. */
export interface HmacKey {
  hash: string;
  key: KeyObject;
  /** Comes before the text. Behind it is space for a short one, which is hashed there. */
  inner: Buffer;
  /** Comes before the digest of the inner hash, which is written over its end. */
  outer: Buffer;
}

const BLOCK_BYTES: Readonly<Record<string, number>> = { sha384: 128, sha512: 128 };
/** Of text behind the inner block: most bodies of webhooks are shorter. */
const SPACE_BYTES = 8192;

export function readHmacKey(name: string, key: KeyObject): HmacKey {
  const bytes = key.export();
  const block = Buffer.alloc(blockOf(name));
  (bytes.length > block.length ? hash(name, bytes, 'buffer') : bytes).copy(block);
  const inner = Buffer.concat([block.map((byte) => byte ^ 0x36), Buffer.alloc(SPACE_BYTES)]);
  const outer = Buffer.concat([block.map((byte) => byte ^ 0x5c), hash(name, '', 'buffer')]);
  return { hash: name, key, inner, outer };
}

/** A longer text is hashed as it comes. */
const MAX_KEPT_BYTES = 65_536;

export class BodyHmac {
  readonly #key: HmacKey;
  readonly #kept: Uint8Array[] = [];
  #size = 0;
  #hmac: Hmac | null = null;

  constructor(key: HmacKey) {
    this.#key = key;
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
    const { hash: name, outer } = this.#key;
    // As text, because a small buffer of its own costs more than the hash.
    outer.write(hash(name, this.#blockAndText(), 'binary'), blockOf(name), 'latin1');
    return hash(name, outer, encoding);
  }

  /** The inner block and the text. A short text is copied to the space of the key, because an allocation costs more. */
  #blockAndText(): Buffer {
    const { hash: name, inner } = this.#key;
    let end = blockOf(name);
    if (this.#size > SPACE_BYTES) return Buffer.concat([inner.subarray(0, end), ...this.#kept], end + this.#size);
    for (const chunk of this.#kept) {
      inner.set(chunk, end);
      end += chunk.length;
    }
    return inner.subarray(0, end);
  }

  #hashKept(): Hmac {
    const hmac = createHmac(this.#key.hash, this.#key.key);
    for (const chunk of this.#kept.splice(0)) hmac.update(chunk);
    return hmac;
  }
}

function blockOf(name: string): number {
  return BLOCK_BYTES[name] ?? 64;
}
