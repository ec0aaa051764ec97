// What every way to prove a sender has in common. A proof sees the head of a request, then each chunk of its body as it
// comes, and finally the decoded body. So a request is proven before any run exists, whatever its size.

import type { SeenHead, SeenRequest } from '../place.ts';

export interface Secret {
  /** In clear. */
  value: string;
  /** Server time in ms; null for a secret without an end. */
  endsAt: number | null;
}

export interface ProofHead extends SeenHead {
  /** The public URL of the request, with its query. */
  url: string;
}

/** `secret` is the position of the secret that matched; 0 where a scheme has none. */
export type Verdict = { isProven: true; secret: number; signed?: Signed } | Refusal;

/** What a proof binds together, for schemes that name it themselves. */
export interface Signed {
  /** The same each time that the message is sent, and of no other message that is signed. */
  name: string;
  /** False when the same proof would pass with another body: the name is then good for one body. */
  coversBody: boolean;
  /** How long the proof can pass again. Absent where the name need not be remembered so long. */
  goodForMs?: number;
}

export type RefusalKind =
  | 'missing_token'
  | 'wrong_token'
  | 'expired_token'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_stale'
  | 'signature_mismatch';

/** Tells what was wrong, and never a secret. */
export interface Refusal {
  isProven: false;
  kind: RefusalKind;
  reason: string;
}

/** One request on its way in. */
export interface Proving {
  /** Null when the head alone decides. Called with each chunk of the body as it came, still in its content coding. */
  update: ((chunk: Uint8Array) => void) | null;
  /** Called once, after the last chunk. */
  finish(request: SeenRequest): Verdict | Promise<Verdict>;
}

/** Checks the requests of one sink. */
export interface Verifier {
  /** Returns a refusal when the head alone shows that the request cannot be proven. `now` is wall time in ms. */
  begin(head: ProofHead, now: number): Proving | Refusal;
}

export function refusal(kind: RefusalKind, reason: string): Refusal {
  return { isProven: false, kind, reason };
}

export function isRefusal(result: object): result is Refusal {
  return 'isProven' in result && result.isProven === false;
}

/** The secrets that have not ended, each with its position. */
export function validSecrets<Kept extends { endsAt: number | null }>(secrets: readonly Kept[], now: number): [number, Kept][] {
  const valid: [number, Kept][] = [];
  for (let index = 0; index < secrets.length; index += 1) {
    const secret = secrets[index] as Kept;
    if (secret.endsAt === null || secret.endsAt > now) valid.push([index, secret]);
  }
  return valid;
}
