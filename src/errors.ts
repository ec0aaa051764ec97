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
  | 'unprocessable'
  | 'rate_limited'
  | 'dispatch_failed'
  | 'unavailable';

export interface ErrorOptions {
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

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }
}

/** The connection to the database was lost, so that a change may be stored or not. The same call may be repeated. */
export class UnknownOutcome extends AppError {
  constructor(cause?: unknown) {
    const message = 'the connection to the database was lost, and the change may be stored or not; try again';
    super('unavailable', message, { retryAfterSeconds: 1, cause });
  }
}
