// Errors of the client: the server refused the request, or no complete answer arrived.

/** The server's refusal, with its code and message. */
export class RefusedError extends Error {
  readonly status: number;
  /** `not_found`, `unauthorized`, …; `http_<status>` when the answer is not from a Sluice server. */
  readonly code: string;
  /** Fields of the error beside code and message, such as `faults`. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string | null;

  constructor(status: number, code: string, message: string, details: Record<string, unknown> = {}, requestId: string | null = null) {
    super(message);
    this.name = 'RefusedError';
    this.status = status;
    this.code = code;
    this.details = details;
    this.requestId = requestId;
  }
}

/** There was no complete answer. The server may or may not have acted on the request. */
export class UnreachableError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'UnreachableError';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the server running?',
  ENOTFOUND: 'the host is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  TimeoutError: 'no answer in time',
  HPE_INVALID_CONSTANT: 'the answer is not HTTP',
  'bad port': 'fetch refuses to use this port; choose another',
};

/** Describes an error of `fetch`, whose reason is in `cause`, sometimes two levels deep. */
export function unreachable(url: string, error: unknown): UnreachableError {
  const { cause, name, message } = error as Error;
  const { code, message: detail } = (cause ?? { message }) as NodeJS.ErrnoException;
  const reason = REASONS[code ?? name] ?? REASONS[detail] ?? (detail === '' ? (code ?? message) : detail);
  return new UnreachableError(`cannot reach ${url}: ${reason}`, error);
}

/** Reads the body of a refusal. */
export async function refusal(response: Response): Promise<RefusedError> {
  const { status } = response;
  const body = readObject(await response.text().catch(() => ''));
  const { code, message, ...details } = (body['error'] ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string')
    return new RefusedError(status, `http_${status}`, foreignAnswer(response), body);
  const requestId = body['request_id'];
  return new RefusedError(status, code, message, details, typeof requestId === 'string' ? requestId : null);
}

/** Describes an answer that is not from a Sluice server. */
export function foreignAnswer({ status, headers, url }: Response): string {
  const address = url.split('?')[0] as string;
  const location = headers.get('location');
  if (status >= 300 && status < 400 && location !== null) return `${address} has moved to ${location}; use that address`;
  return `${address} answered ${status}, but not as a Sluice server does; is the address right?`;
}

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
