// Verifies signed requests: HMACs, which are computed as the body comes, and signatures by a private key.

import { createVerify, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { headerAt, type SeenRequest, textAt } from '../place.ts';
import type { Encoding, Place, SignatureProof, TimestampSource } from '../preset.ts';
import { BodyHmac, type HmacKey, readHmacKey } from './body-hmac.ts';
import { decodeStrictly, readKey } from './keys.ts';
import {
  isRefusal,
  type ProofHead,
  type Proving,
  type Refusal,
  refusal,
  type Secret,
  type Verdict,
  type Verifier,
  validSecrets,
} from './proof.ts';
import { readSignatureHeader } from './signature-header.ts';
import { compileSignedText, type SignedText, type SignedValues } from './signed-text.ts';
import { timestampFault } from './timestamps.ts';

type Scheme = SignatureProof & { deliveryId: Place | null };

interface SignatureSecret {
  start(signed: Signed, before: string, after: string): SecretCheck;
  endsAt: number | null;
}

/** Throws an Error for a secret that is no key. */
export function signatureVerifier(scheme: Scheme, secrets: readonly Secret[]): Verifier {
  const keys = secrets.map((secret) => readSecret(scheme, secret));
  const text = compileSignedText(scheme.signed);
  return {
    begin(head, now) {
      const signed = readSigned(scheme, text, head, now);
      if (isRefusal(signed)) return signed;
      return new SignatureCheck(scheme, text, signed, validSecrets(keys, now), now);
    },
  };
}

/** A fault of the secret, or null. */
export function signatureSecretFault(scheme: SignatureProof, value: string): string | null {
  try {
    readSecret(scheme, { value, endsAt: null });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function readSecret(scheme: SignatureProof, { value, endsAt }: Secret): SignatureSecret {
  const { algorithm, asymmetric, encoding } = scheme;
  if (asymmetric !== undefined && value.startsWith(asymmetric.secretPrefix)) {
    const key = readKey('ed25519-base64', value.slice(asymmetric.secretPrefix.length));
    return { start: (signed, ...around) => ed25519Check(key, decodeAll(signed.asymmetric, encoding), ...around), endsAt };
  }
  const key = readKey(scheme.key, value);
  const type = KEY_TYPES[algorithm];
  if (key.asymmetricKeyType !== type) throw new Error(`must be a public key of type ${type}`);
  if (type !== undefined) {
    const check = algorithm === 'ed25519' ? ed25519Check : publicKeyCheck;
    return { start: (signed, ...around) => check(key, decodeAll(signed.signatures, encoding), ...around), endsAt };
  }
  const hmacKey = readHmacKey(algorithm.slice('hmac-'.length), key);
  return { start: (signed, before, after) => new HmacCheck(hmacKey, signed.signatures, encoding, before, after), endsAt };
}

/** Node throws when it verifies with a key of another type. */
const KEY_TYPES: Readonly<Partial<Record<SignatureProof['algorithm'], string>>> = {
  ed25519: 'ed25519',
  'ecdsa-sha256': 'ec',
  'rsa-sha256': 'rsa',
};

interface Signed extends SignedValues {
  signatures: readonly string[];
  asymmetric: readonly string[];
}

/** Reads from the head everything that is signed beside the body. */
function readSigned(scheme: Scheme, { terms }: SignedText, head: ProofHead, now: number): Signed | Refusal {
  const alias = scheme.aliases?.find((names) => head.headers[names.header] !== undefined && head.headers[scheme.header] === undefined);
  const { header, timestamp = scheme.timestamp, deliveryId } = alias ?? scheme;
  const text = headerAt(header, head);
  if (text === null) return refusal('signature_missing', `the request has no signature: header ${header} is missing`);
  const read = readSignatureHeader(text, scheme);
  if (read === null) return refusal('signature_malformed', `header ${header} has no signature of this scheme`);
  const time = timestamp === undefined || isInBody(timestamp) ? null : timeOf(timestamp, read.fields, head);
  const fault = time === null ? null : timestampFault(time.text, time.unit, scheme.toleranceSeconds ?? Number.POSITIVE_INFINITY, now);
  if (fault !== null) return refusal(fault.kind, `the signature in ${header} is refused: ${fault.why}`);
  const id = terms.has('id') && deliveryId != null ? textAt(deliveryId, head) : '';
  // A dot would let the end of an id pass for the beginning of what follows it.
  if (id === null || id.includes('.'))
    return refusal('signature_malformed', `the signature in ${header} is refused: the id that it signs is missing or malformed`);
  return { head, timestamp: time?.text ?? '', id, signatures: read.signatures, asymmetric: read.asymmetric };
}

function isInBody({ from }: TimestampSource): boolean {
  return from.startsWith('body:');
}

function timeOf({ from, unit }: TimestampSource, fields: ReadonlyMap<string, string>, head: ProofHead) {
  if (from === 'first') return { text: fields.get('first') ?? null, unit };
  if (from.startsWith('field:')) return { text: fields.get(from.slice('field:'.length)) ?? null, unit };
  return { text: textAt(from as Place, head), unit };
}

/** Checks one request. Every secret is tried, in the same time. */
class SignatureCheck implements Proving {
  readonly #scheme: Scheme;
  readonly #now: number;
  readonly #checks: readonly { index: number; check: SecretCheck }[];

  constructor(scheme: Scheme, text: SignedText, signed: Signed, secrets: readonly [number, SignatureSecret][], now: number) {
    this.#scheme = scheme;
    this.#now = now;
    const [before, after] = [text.before(signed), text.after(signed)];
    this.#checks = secrets.map(([index, secret]) => ({ index, check: secret.start(signed, before, after) }));
  }

  readonly update = (chunk: Uint8Array): void => {
    for (const { check } of this.#checks) check.update(chunk);
  };

  finish(request: SeenRequest): Verdict {
    const { header, timestamp, toleranceSeconds = Number.POSITIVE_INFINITY } = this.#scheme;
    let matching = -1;
    for (const { index, check } of this.#checks) if (check.matches() && matching === -1) matching = index;
    if (matching === -1)
      return refusal('signature_mismatch', `the signature in ${header} does not match the request and the sink's secret`);
    if (timestamp !== undefined && isInBody(timestamp)) {
      const fault = timestampFault(textAt(timestamp.from as Place, request), timestamp.unit, toleranceSeconds, this.#now);
      if (fault !== null) return refusal(fault.kind, `the signature in ${header} is refused: ${fault.why}`);
    }
    return { isProven: true, secret: matching };
  }
}

interface SecretCheck {
  update(chunk: Uint8Array): void;
  matches(): boolean;
}

class HmacCheck implements SecretCheck {
  readonly #hmac: BodyHmac;
  readonly #signatures: readonly string[];
  readonly #encoding: Encoding;
  readonly #after: string;

  constructor(key: HmacKey, signatures: readonly string[], encoding: Encoding, before: string, after: string) {
    this.#hmac = new BodyHmac(key);
    this.#signatures = signatures;
    this.#encoding = encoding;
    this.#after = after;
    if (before !== '') this.#hmac.update(Buffer.from(before));
  }

  update(chunk: Uint8Array): void {
    this.#hmac.update(chunk);
  }

  matches(): boolean {
    if (this.#after !== '') this.#hmac.update(Buffer.from(this.#after));
    const digest = this.#encoding === 'hex-upper' ? this.#hmac.digest('hex').toUpperCase() : this.#hmac.digest(this.#encoding);
    const expected = Buffer.from(withoutPadding(digest));
    let isMatch = false;
    for (const signature of this.#signatures) isMatch = isEqual(Buffer.from(withoutPadding(signature)), expected) || isMatch;
    return isMatch;
  }
}

/** Ed25519 hashes the text twice, so it must be kept. No provider signs longer ones in this way. */
const MAX_KEPT_BYTES = 2 ** 20;

function ed25519Check(key: KeyObject, signatures: readonly Buffer[], before: string, after: string): SecretCheck {
  const chunks: Uint8Array[] = [Buffer.from(before)];
  let size = 0;
  return {
    update(chunk) {
      size += chunk.length;
      if (size <= MAX_KEPT_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    },
    matches() {
      if (size > MAX_KEPT_BYTES) return false;
      const text = Buffer.concat([...chunks, Buffer.from(after)]);
      return signatures.some((signature) => verify(null, text, key, signature));
    },
  };
}

function publicKeyCheck(key: KeyObject, signatures: readonly Buffer[], before: string, after: string): SecretCheck {
  const checks = signatures.map((signature) => ({ signature, check: createVerify('sha256').update(before) }));
  return {
    update(chunk) {
      for (const { check } of checks) check.update(chunk);
    },
    matches: () => checks.some(({ signature, check }) => check.update(after).verify(key, signature)),
  };
}

function decodeAll(texts: readonly string[], encoding: Encoding): Buffer[] {
  return texts.map((text) => decodeOrEmpty(text, encoding));
}

function decodeOrEmpty(text: string, encoding: Encoding): Buffer {
  try {
    return decodeStrictly(text, encoding === 'hex-upper' ? 'hex' : encoding);
  } catch {
    return Buffer.alloc(0);
  }
}

function withoutPadding(text: string): string {
  return text.endsWith('=') ? text.replace(/=+$/, '') : text;
}

function isEqual(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
