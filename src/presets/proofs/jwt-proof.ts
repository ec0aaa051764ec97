// Verifies JSON Web Tokens (RFC 7519). The row or the sink names the algorithms and the keys; the token chooses among them at most.

import { createHash, type KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose/jwt/verify';
import { headerAt } from '../place.ts';
import type { JwtProof } from '../preset.ts';
import type { DocumentCache } from '../remote/document-cache.ts';
import type { KeySet } from '../remote/key-set.ts';
import type { SettingValues } from '../scheme.ts';
import { claimFault, isBoundToBody } from './jwt-claims.ts';
import { readJwtKey } from './jwt-keys.ts';
import { type ProofHead, type Proving, refusal, type Secret, type Verdict, type Verifier, validSecrets } from './proof.ts';

/** Throws an Error for a secret that is no key. */
export function jwtVerifier(
  proof: JwtProof,
  secrets: readonly Secret[],
  settings: SettingValues,
  keySets: DocumentCache<KeySet>,
): Verifier {
  const keys = secrets.map(({ value, endsAt }) => ({ key: readJwtKey(proof, value), endsAt }));
  return {
    begin(head, now) {
      const header = headerAt(proof.header, head);
      if (header === null) return refusal('missing_token', `the token is missing: header ${proof.header}`);
      const token = tokenOf(header, proof.prefix ?? '');
      if (token === null) return refusal('wrong_token', `header ${proof.header} has no JSON Web Token`);
      return new JwtCheck({ proof, settings, keySets, head, now, token, keys: validSecrets(keys, now) });
    },
  };
}

const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MAX_TOKEN_CHARACTERS = 8192;

function tokenOf(header: string, prefix: string): string | null {
  if (header.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) return null;
  const token = header.slice(prefix.length).trim();
  return token.length <= MAX_TOKEN_CHARACTERS && TOKEN.test(token) ? token : null;
}

interface JwtRequest {
  proof: JwtProof;
  settings: SettingValues;
  keySets: DocumentCache<KeySet>;
  head: ProofHead;
  now: number;
  token: string;
  /** Each with its position. */
  keys: readonly [number, { key: KeyObject }][];
}

type Payload = Readonly<Record<string, unknown>>;

class JwtCheck implements Proving {
  readonly #request: JwtRequest;
  readonly #bodyHash = createHash('sha256');
  readonly update: Proving['update'];

  constructor(request: JwtRequest) {
    this.#request = request;
    this.update = isBoundToBody(request.proof) ? (chunk) => void this.#bodyHash.update(chunk) : null;
  }

  readonly finish = async (): Promise<Verdict> => {
    const { proof, settings, head } = this.#request;
    try {
      const { payload, secret } = proof.jwks === undefined ? await this.#verifyBySecrets() : await this.#verifyByKeySet();
      const bodyHash = this.#bodyHash.digest();
      const fault = claimFault(proof, payload, { settings, url: head.url, bodyHash });
      if (fault !== null) return refusal('wrong_token', `the token is refused: ${fault}`);
      return { isProven: true, secret, ...(isBoundToBody(proof) ? { signed: { name: bodyHash.toString('hex'), coversBody: true } } : {}) };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === null) throw error;
      return refusal(codeOf(error) === 'ERR_JWT_EXPIRED' ? 'expired_token' : 'wrong_token', `the token is refused: ${reason}`);
    }
  };

  async #verifyBySecrets(): Promise<{ payload: Payload; secret: number }> {
    for (const [secret, { key }] of this.#request.keys) {
      try {
        return { payload: await this.#verify(key), secret };
      } catch (error) {
        // Every other fault is one of the token, whatever its key.
        if (codeOf(error) !== undefined && codeOf(error) !== NO_MATCH) throw error;
      }
    }
    throw Object.assign(new Error('no secret of the sink signed the token'), { code: NO_MATCH });
  }

  /** A key that is not in the set may have been published since; anyone can ask for one, so the set is fetched once a minute at most. */
  async #verifyByKeySet(): Promise<{ payload: Payload; secret: number }> {
    const { proof, keySets, now } = this.#request;
    const url = proof.jwks as string;
    const keySet = await keySets.get(url, now);
    try {
      return { payload: await this.#verify(keySet), secret: 0 };
    } catch (error) {
      if (codeOf(error) !== 'ERR_JWKS_NO_MATCHING_KEY') throw error;
      const newer = await keySets.get(url, now, REFRESH_AFTER_MS);
      if (newer === keySet) throw error;
      return { payload: await this.#verify(newer), secret: 0 };
    }
  }

  async #verify(key: KeyObject | KeySet): Promise<Payload> {
    const { proof, token, now } = this.#request;
    const { payload } = await jwtVerify(token, key as KeySet, {
      algorithms: [...proof.algorithms],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(now),
      requiredClaims: isBoundToBody(proof) ? [] : ['exp'],
    });
    return payload;
  }
}

const LEEWAY_SECONDS = 60;
const REFRESH_AFTER_MS = 60_000;
const NO_MATCH = 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED';

/** By the codes of jose. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  [NO_MATCH]: "its signature does not match the sink's keys",
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not allowed',
  ERR_JWKS_NO_MATCHING_KEY: 'the sender publishes no key of its kid and algorithm',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it has no kid, and the sender publishes several keys',
};

/** Null when the error is not one of the token. */
function reasonOf(error: unknown): string | null {
  const code = codeOf(error);
  const { claim } = error as { claim?: string };
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return `its claim ${claim} is missing or not valid now`;
  if (code?.startsWith('ERR_J') === true) return REASONS[code] ?? 'it is malformed';
  return error instanceof TypeError ? 'its key is of another type' : null;
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}
