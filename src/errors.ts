// Faults that a caller can cause: only an AppError shows its text to the caller. Remote failures are values, and a bug is
// a plain Error.

export type ErrorCode =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'gone'
  | 'precondition_failed'
  | 'too_large'
  | 'unsupported_media'
  | 'range_not_satisfiable'
  | 'unprocessable'
  | 'rate_limited'
  | 'dispatch_failed'
  | 'unavailable';

/** Why a trigger was refused, for its operator; refusal-causes.ts says what usually causes each. */
export type RefusalReason =
  | 'no_sink'
  | 'wrong_method'
  | 'malformed'
  | 'aborted'
  | 'missing_token'
  | 'wrong_token'
  | 'expired_token'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_mismatch'
  | 'signature_stale'
  | 'handshake_failed'
  | 'blocked'
  | 'rate_limited'
  | 'too_many_failures'
  | 'too_large'
  | 'unsupported_media'
  | 'unfit_input'
  | 'schema_mismatch'
  | 'key_reused'
  | 'unavailable'
  | 'failed'
  /** Of a schedule. */
  | 'missed'
  /** Answered like any form. */
  | 'spam'
  /** No refusal: no filter of the sink matches the request. */
  | 'no_workflow'
  /** No refusal: a handshake of the sender was answered. */
  | 'handshake';

export interface ErrorOptions {
  /** Absent: the usual reason of the code. */
  reason?: RefusalReason | undefined;
  /** Machine-readable fields, shown to the caller beside code and message. */
  details?: Record<string, unknown>;
  /** Sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** Further response headers (`Allow`, `WWW-Authenticate`). */
  headers?: Record<string, string>;
  cause?: unknown;
}

/** `message` names the mistake and the correct form. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Record<string, string>;
  readonly reason: RefusalReason | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
    this.reason = options.reason;
  }
}

/** The connection to the database was lost, so that a change may be stored or not. The same call may be repeated. */
export class UnknownOutcome extends AppError {
  constructor(cause?: unknown) {
    const message = 'the connection to the database was lost, and the change may be stored or not; try again';
    super('unavailable', message, { retryAfterSeconds: 1, cause });
  }
}
