// What an error of a socket, of DNS, of TLS or of the HTTP parser is as a result: its code, and one line that holds
// neither a secret nor a path of this machine.

import type { OutboundResult } from '../core/delivery/outbound.ts';
import { ConnectTimeout } from './guarded-connector.ts';
import { Refusal } from './refusal.ts';

export const ABORTED: OutboundResult = { kind: 'network', code: 'ABORTED', reason: 'the attempt was ended before it was over' };

const LONGEST_REASON = 200;
/** What undici says of a request that it cannot put on the wire. */
const UNSENDABLE = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

export function resultOfError(error: unknown): OutboundResult {
  if (error instanceof ConnectTimeout) return { kind: 'timeout', phase: 'connect' };
  if (error instanceof Refusal) return { kind: 'refused', reason: error.message };
  const { code, reason } = describe(error);
  return UNSENDABLE.has(code) ? { kind: 'refused', reason } : { kind: 'network', code, reason };
}

interface SystemError {
  code?: unknown;
  name?: unknown;
  message?: unknown;
  /** What OpenSSL says, without the place in its source that `message` goes on to. */
  reason?: unknown;
}

function describe(error: unknown): { code: string; reason: string } {
  const { code, name, message, reason } = (error ?? {}) as SystemError;
  const text = typeof reason === 'string' ? reason : typeof message === 'string' ? message : '';
  const line = text.trim().split(/[\r\n]/)[0] ?? '';
  // undici's parser does not say its code.
  const fallback = name === 'HTTPParserError' ? 'HPE_INVALID_RESPONSE' : 'UNKNOWN';
  return { code: typeof code === 'string' ? code : fallback, reason: line.slice(0, LONGEST_REASON) };
}
