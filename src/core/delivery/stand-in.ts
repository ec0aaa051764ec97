// The answer that a step of a dry run gets in place of its receiver's: a success without content.

import type { OutboundMessage, OutboundResult } from './outbound.ts';

/** Marks the stand-in among the headers of answers, which steps and outputs show. */
const MARK = { 'sluice-dry-run': 'true' };

export function standInFor(message: OutboundMessage): OutboundResult {
  const answer = { kind: 'response', reason: 'dry run', headers: MARK, isTruncated: false } as const;
  if (message.transport === 'smtp')
    return { ...answer, status: 250, url: `smtp://${message.host}:${message.port}`, body: new Uint8Array() };
  const body = new TextEncoder().encode(message.succeeds === 'json_ok' ? '{"ok":true}' : '');
  return { ...answer, status: 200, url: message.url, body };
}
