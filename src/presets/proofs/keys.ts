// Reads secrets of sinks as keys. A secret that is not in its encoding is a fault when the sink is saved.

import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { KeyEncoding } from '../preset.ts';

const FORMS: Readonly<Record<KeyEncoding, string>> = {
  utf8: 'a text that is not empty',
  hex: 'hexadecimal',
  base64: 'base64',
  whsec: '"whsec_" followed by base64 of at least 16 bytes',
  'ed25519-hex': 'an Ed25519 public key: 64 hexadecimal digits',
  'ed25519-base64': 'an Ed25519 public key: base64 of 32 bytes',
  spki: 'a public key: PEM, or base64 of its DER',
};

/** Throws an Error that names the right form. */
export function readKey(encoding: KeyEncoding, secret: string): KeyObject {
  try {
    return KEYS[encoding](secret);
  } catch {
    throw new Error(`must be ${FORMS[encoding]}`);
  }
}

const KEYS: Readonly<Record<KeyEncoding, (secret: string) => KeyObject>> = {
  utf8: (secret) => createSecretKey(nonEmpty(Buffer.from(secret))),
  hex: (secret) => createSecretKey(nonEmpty(decodeStrictly(secret, 'hex'))),
  base64: (secret) => createSecretKey(nonEmpty(decodeStrictly(secret, 'base64'))),
  whsec(secret) {
    const bytes = decodeStrictly(secret.startsWith('whsec_') ? secret.slice(6) : secret, 'base64');
    if (bytes.length < MIN_SECRET_BYTES) throw new Error('too short');
    return createSecretKey(bytes);
  },
  'ed25519-hex': (secret) => ed25519Key(decodeStrictly(secret, 'hex')),
  'ed25519-base64': (secret) => ed25519Key(decodeStrictly(secret, 'base64')),
  spki: (secret) =>
    secret.includes('-----BEGIN')
      ? createPublicKey(secret)
      : createPublicKey({ key: decodeStrictly(secret, 'base64'), format: 'der', type: 'spki' }),
};

const MIN_SECRET_BYTES = 16;
/** DER before the 32 bytes of an Ed25519 public key (RFC 8410). */
const ED25519_HEADER = Buffer.from('302a300506032b6570032100', 'hex');

function ed25519Key(bytes: Buffer): KeyObject {
  if (bytes.length !== 32) throw new Error('not 32 bytes');
  return createPublicKey({ key: Buffer.concat([ED25519_HEADER, bytes]), format: 'der', type: 'spki' });
}

function nonEmpty(bytes: Buffer): Buffer {
  if (bytes.length === 0) throw new Error('empty');
  return bytes;
}

/** Node ignores characters that are not of the encoding; a secret with such characters was copied wrongly. */
export function decodeStrictly(text: string, encoding: 'hex' | 'base64' | 'base64url'): Buffer {
  const bytes = Buffer.from(text, encoding);
  const plain = (value: string): string => value.replace(/=+$/, '');
  const isSame = encoding === 'hex' ? bytes.toString('hex') === text.toLowerCase() : plain(bytes.toString(encoding)) === plain(text);
  if (!isSame) throw new Error(`not ${encoding}`);
  return bytes;
}
