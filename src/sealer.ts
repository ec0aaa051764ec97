// Seals secrets for storage with AES-256-GCM (NIST SP 800-38D). The nonce is derived from key and text, so that the same text
// has the same sealed form under one key: definitions can be compared without opening them, and no nonce serves two texts.

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

export interface Sealer {
  seal(text: string): string;
  /** Throws an Error when the text was sealed with another key, or altered. */
  open(sealed: string): string;
  /** A key for another purpose, from which the others cannot be inferred. */
  deriveKey(purpose: string): Buffer;
}

const VERSION = 'v1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^v1\.[A-Za-z0-9_-]{38,}$/;

/** Sealers for different contents open nothing of each other. */
export function createSealer(key: string, content: 'secrets' | 'replies' = 'secrets'): Sealer {
  const label = content === 'secrets' ? 'sluice' : `sluice ${content}`;
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', key, '', `${label} ${purpose}`, 32));
  const [cipherKey, nonceKey] = [derive('seal'), derive('nonce')];
  return {
    deriveKey: derive,
    seal(text) {
      const nonce = createHmac('sha256', nonceKey).update(text).digest().subarray(0, NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', cipherKey, nonce);
      return VERSION + Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
    open(sealed) {
      if (!isSealed(sealed)) throw new Error('the text is not a sealed secret');
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', cipherKey, bytes.subarray(0, NONCE_BYTES)).setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

function isSealed(text: string): boolean {
  return SEALED.test(text);
}
