// Turns an error of a socket, DNS, TLS or the HTTP parser into a result: its code, and one line without secrets or paths
// of this machine.

import type { OutboundResult } from '../core/delivery/outbound.ts';
import { ConnectTimeout } from './guarded-connector.ts';
import { Refusal } from './refusal.ts';

export const ABORTED: OutboundResult = { kind: 'network', code: 'ABORTED', reason: 'the attempt was ended before it was over' };

const LONGEST_REASON = 200;
/** undici's code for a request that cannot be put on the wire. */
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
  /** OpenSSL's reason, without the source location that `message` appends. */
  reason?: unknown;
}

function describe(error: unknown): { code: string; reason: string } {
  const { code, name, message, reason } = (error ?? {}) as SystemError;
  const text = typeof reason === 'string' ? reason : typeof message === 'string' ? message : '';
  const line = text.trim().split(/[\r\n]/)[0] ?? '';
  // undici's parser sets no code.
  const fallback = name === 'HTTPParserError' ? 'HPE_INVALID_RESPONSE' : 'UNKNOWN';
  return { code: typeof code === 'string' ? code : fallback, reason: line.slice(0, LONGEST_REASON) };
}
