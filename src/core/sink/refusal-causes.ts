// The usual cause of each reason for which a trigger is refused, in one sentence for its operator.

import type { RefusalReason } from '../../errors.ts';

export const REFUSAL_CAUSES: Readonly<Record<RefusalReason, string>> = {
  no_sink: 'The path or the app is misspelled, or a scanner tries paths.',
  wrong_method: 'The sender uses another method than the sink.',
  malformed: 'The URL, a header or the body cannot be read as it says it is.',
  aborted: 'The sender closed the connection before its whole body had arrived.',
  missing_token: 'The sender has no token, or sends it in another place than the sink expects.',
  wrong_token: 'The sender has an old or a mistyped token, or somebody guesses.',
  expired_token: 'The token was right once, and its end has passed.',
  signature_missing: 'The sender is not the provider, or signing is not switched on there.',
  signature_malformed: 'The sender signs by another scheme than that of the sink.',
  signature_mismatch: 'The secrets of sender and sink differ, or something on the way changes the body.',
  signature_stale: 'The clock of one of both is wrong, or an old request is sent again.',
  handshake_failed: 'The provider asks about another webhook than this sink.',
  blocked: 'The address is blocked, or the sink does not name it in allow_from.',
  rate_limited: 'The sender is faster than the rate of the sink or of the server.',
  too_many_failures: 'The address has sent many wrong credentials, and must wait.',
  too_large: 'The body, a file or a list is larger than the sink accepts.',
  unsupported_media: 'The content type or the content coding is not one of those that the sink reads.',
  unfit_input: 'The request has not what the workflow or the platform of the sink needs.',
  schema_mismatch: 'The sender writes other fields or values than the schema of the sink describes, or the schema is too narrow.',
  key_reused: 'The sender uses an idempotency key or a signature again for another request.',
  unavailable: 'The server is overloaded, short of disk, or stopping.',
  failed: 'The server has a fault: its log says more.',
  missed: 'The server was stopped for longer than a schedule catches up.',
  spam: 'A program filled in a form: its trap field, or all of it at once. It got the answer of a visitor.',
  no_workflow: 'No refusal: the request matched no "when" of the sink, and was answered.',
  handshake: 'No refusal: the handshake of a provider was answered.',
};

/** Undefined for a reason that this version does not know. */
export function causeOf(reason: string): string | undefined {
  return Object.hasOwn(REFUSAL_CAUSES, reason) ? REFUSAL_CAUSES[reason as RefusalReason] : undefined;
}

export const REFUSAL_REASONS = Object.keys(REFUSAL_CAUSES) as readonly RefusalReason[];
