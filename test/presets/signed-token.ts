// JSON Web Tokens, signed with Node alone.

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface TokenOptions {
  alg?: string;
  kid?: string | undefined;
  /** How it is really signed; `alg` by default. */
  signedAs?: string;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function makeToken(
  claims: Record<string, unknown>,
  key: string | KeyObject,
  { alg = 'HS256', kid, signedAs = alg }: TokenOptions = {},
): string {
  const text = `${encode({ alg, typ: 'JWT', kid })}.${encode(claims)}`;
  return `${text}.${signatureOf(text, key, signedAs)}`;
}

function signatureOf(text: string, key: string | KeyObject, alg: string): string {
  if (alg === 'none') return '';
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) return createHmac(hash, key).update(text).digest('base64url');
  if (alg === 'EdDSA') return sign(null, Buffer.from(text), key).toString('base64url');
  if (typeof key === 'string') throw new Error('a private key is needed');
  return sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

export const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const OTHER_RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const CURVE = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ED25519 = generateKeyPairSync('ed25519');

export function pemOf({ publicKey }: { publicKey: KeyObject }): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

/** The text of a JSON Web Key Set, with the public keys by kid. */
export function keySetOf(pairs: Readonly<Record<string, { publicKey: KeyObject }>>): string {
  const keys = Object.entries(pairs).map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' }));
  return JSON.stringify({ keys });
}
