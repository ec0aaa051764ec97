// Signs requests as the provider of a preset does, from the row alone: it shares no code with src/presets.

import { createHmac, createSign, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Preset, SignatureProof } from '../../src/presets/preset.ts';
import { withValueAt } from './document-path.ts';

export interface WebhookSecret {
  /** What the sink has. */
  value: string;
  /** What the provider signs with. */
  key: Buffer | KeyObject;
}

export interface WebhookRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  body: Buffer;
}

export interface Signing {
  preset: Preset;
  secret: WebhookSecret;
  /** In ms. */
  signedAt: number;
  /** Changes the signature, or the secret that is sent; of a list, in its last item. */
  alter?: (text: string) => string;
  /** Leaves out the signature, or the secret that is sent. */
  without?: boolean;
  /** Uses the names of this alias. */
  alias?: number;
}

const URL_SENT = 'https://hooks.example.org/orders?shop=a%3Ab%2Fc%40d%20e&page=2';
const URL_FOR_HUBSPOT = 'https://hooks.example.org/orders?shop=a:b/c@d%20e&page=2';
const ID = 'delivery-1';

export function makeSecret({ proof }: Preset): WebhookSecret {
  switch (proof.kind) {
    case 'basic':
      return textSecret(`user:${randomBytes(12).toString('hex')}`);
    case 'signature':
      return proof.algorithm.startsWith('hmac-') ? makeHmacSecret(proof) : makeKeyPair(proof);
    default:
      return textSecret(`secret-${randomBytes(12).toString('hex')}`);
  }
}

/** A secret of the second scheme of a preset. */
export function makeAsymmetricSecret(prefix: string): WebhookSecret {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { value: `${prefix}${rawPublicKey(publicKey).toString('base64')}`, key: privateKey };
}

function textSecret(value: string): WebhookSecret {
  return { value, key: Buffer.from(value) };
}

function makeHmacSecret({ key }: SignatureProof): WebhookSecret {
  const bytes = randomBytes(32);
  switch (key) {
    case 'hex':
    case 'base64':
      return { value: bytes.toString(key), key: bytes };
    case 'whsec':
      return { value: `whsec_${bytes.toString('base64')}`, key: bytes };
    default:
      return textSecret(bytes.toString('base64url'));
  }
}

function makeKeyPair({ algorithm, key }: SignatureProof): WebhookSecret {
  if (algorithm === 'ed25519') {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    return { value: rawPublicKey(publicKey).toString(key === 'ed25519-hex' ? 'hex' : 'base64'), key: privateKey };
  }
  const { privateKey, publicKey } =
    algorithm === 'rsa-sha256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { value: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), key: privateKey };
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url');
}

export function signWebhook(signing: Signing): WebhookRequest {
  const { proof } = signing.preset;
  if (proof.kind === 'signature') return signRequest(signing, proof);
  const request = unsignedRequest(signing, []);
  if (signing.without) return request;
  const { alter = (text) => text } = signing;
  const secret = signing.secret.value;
  if (proof.kind === 'basic') {
    request.headers['authorization'] = `Basic ${Buffer.from(alter(secret)).toString('base64')}`;
    return request;
  }
  if (proof.kind !== 'equal') throw new Error(`${signing.preset.id} is neither signed nor has a secret`);
  const [kind, name] = splitPlace(proof.place);
  if (kind === 'header') request.headers[name] = alter(secret);
  if (kind === 'query') request.query[name] = alter(secret);
  if (kind !== 'body') return request;
  const isLast = (item: number): boolean => !name.includes('*') || item === 1;
  return unsignedRequest(signing, [[name, (item) => (isLast(item) ? alter(secret) : secret)]]);
}

function splitPlace(place: string): [kind: string, name: string] {
  const colon = place.indexOf(':');
  return [place.slice(0, colon), place.slice(colon + 1)];
}

/** A request without its proof, with the id and the given values of the body. */
function unsignedRequest({ preset }: Signing, values: readonly [string, (item: number) => unknown][]): WebhookRequest {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  let document: unknown;
  const [kind, name] = splitPlace(preset.deliveryId ?? 'header:x-unused');
  if (kind === 'header') headers[name] = ID;
  else document = withValueAt(document, name, () => ID);
  for (const [path, value] of values) document = withValueAt(document, path, value);
  const body = Buffer.from(JSON.stringify(document ?? { greeting: 'Grüße 👋', amount: 1.5 }));
  return { method: 'POST', url: URL_SENT, headers, query: {}, body };
}

function signRequest(signing: Signing, proof: SignatureProof): WebhookRequest {
  const { preset, secret, signedAt, alter = (text: string) => text, alias } = signing;
  const names = alias === undefined ? { header: proof.header } : proof.aliases?.[alias];
  if (names === undefined) throw new Error(`${preset.id} has no alias ${alias}`);
  const time = proof.timestamp === undefined ? '' : writeTime(signedAt, proof.timestamp.unit);
  const { from } = names.timestamp ?? proof.timestamp ?? { from: 'first' };
  const [timePlace, timeName] = splitPlace(from);
  const request = unsignedRequest(signing, timePlace === 'body' ? [[timeName, () => Number(time)]] : []);
  if (timePlace === 'header') request.headers[timeName] = time;
  if (names.deliveryId !== undefined) request.headers[splitPlace(names.deliveryId)[1]] = ID;
  if (signing.without) return request;
  const signature = alter(computeSignature(proof, secret.key, signedText(proof, time, request)));
  request.headers[names.header] = writeHeader(proof, secret, signature, time, timeName);
  return request;
}

function writeTime(ms: number, unit: 's' | 'ms' | 'rfc3339'): string {
  if (unit === 'rfc3339') return new Date(ms).toISOString();
  return String(unit === 's' ? ms / 1000 : ms);
}

function signedText({ signed }: SignatureProof, time: string, { method, body }: WebhookRequest): Buffer {
  const terms: Record<string, Buffer | string> = {
    '{body}': body,
    '{timestamp}': time,
    '{id}': ID,
    '{method}': method,
    '{url}': URL_SENT,
    '{hubspot_url}': URL_FOR_HUBSPOT,
  };
  return Buffer.concat(signed.split(/(\{[a-z_]+\})/).map((part) => Buffer.from(terms[part] ?? part)));
}

function computeSignature({ algorithm, encoding }: SignatureProof, key: Buffer | KeyObject, text: Buffer): string {
  if (Buffer.isBuffer(key)) {
    const hmac = createHmac(algorithm.replace('hmac-', ''), key).update(text);
    return encoding === 'hex-upper' ? hmac.digest('hex').toUpperCase() : hmac.digest(encoding);
  }
  const signature = key.asymmetricKeyType === 'ed25519' ? sign(null, text, key) : createSign('sha256').update(text).sign(key);
  return signature.toString(encoding === 'hex-upper' ? 'hex' : encoding);
}

function writeHeader(proof: SignatureProof, { key }: WebhookSecret, signature: string, time: string, timeName: string): string {
  const { prefix = '', list, timestamp, asymmetric } = proof;
  if (list === undefined) return prefix + signature;
  const { separator, assign, key: listKey } = list;
  const signatureKey = asymmetric !== undefined && !Buffer.isBuffer(key) ? asymmetric.key : listKey;
  const items = assign === undefined ? [signature] : [`${signatureKey}${assign}${signature}`];
  if (timestamp?.from === 'first') items.unshift(time);
  if (timestamp?.from.startsWith('field:')) items.unshift(`${timeName}${assign}${time}`);
  return items.join(separator);
}
