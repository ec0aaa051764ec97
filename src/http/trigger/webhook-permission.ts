// The OPTIONS handshake of webhook senders (CloudEvents HTTP web hooks for event delivery, 4). Azure Event Grid requires
// it before it sends events.

import type { IncomingHttpHeaders } from 'node:http';
import type { Sink } from '../../core/sink/sink.ts';

/** Returns the headers that grant permission. Null when the request asks for none, or no sink allows its origin. */
export function webhookPermission(headers: IncomingHttpHeaders, sinks: readonly Sink[]): Record<string, string> | null {
  const origin = headers['webhook-request-origin'];
  if (typeof origin !== 'string') return null;
  const isAllowed = sinks.some(({ webhookOrigins = [] }) => webhookOrigins.includes('*') || webhookOrigins.includes(origin.toLowerCase()));
  if (!isAllowed) return null;
  // No rate is promised: requests over the limit get 429.
  const rate = headers['webhook-request-rate'] === undefined ? {} : { 'webhook-allowed-rate': '*' };
  return { 'webhook-allowed-origin': origin, ...rate };
}
