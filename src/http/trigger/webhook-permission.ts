// Tells a sender that it may send here, where a sink says so (CloudEvents web hooks for event delivery, 4): Azure Event Grid
// asks with OPTIONS before it sends anything.

import type { IncomingHttpHeaders } from 'node:http';
import type { Sink } from '../../core/sink/sink.ts';

/** Headers of the permission; null where the request asks for none, or no sink gives it. */
export function webhookPermission(headers: IncomingHttpHeaders, sinks: readonly Sink[]): Record<string, string> | null {
  const origin = headers['webhook-request-origin'];
  if (typeof origin !== 'string') return null;
  const isAllowed = sinks.some(({ webhookOrigins = [] }) => webhookOrigins.includes('*') || webhookOrigins.includes(origin.toLowerCase()));
  if (!isAllowed) return null;
  // How much may come is told by 429 when it does.
  const rate = headers['webhook-request-rate'] === undefined ? {} : { 'webhook-allowed-rate': '*' };
  return { 'webhook-allowed-origin': origin, ...rate };
}
