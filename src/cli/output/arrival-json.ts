// Formats a received request as one line of JSON, for programs.

import { parseJson, stringifyJson } from '../../core/json/json.ts';
import { groupPairs } from '../../core/run/request.ts';
import type { Arrival, ArrivedContent, ArrivedPart } from '../../receiver/arrival.ts';
import { printableJson } from './printable.ts';

/** Ends with a line feed. A repeated header or query name has a list of values. */
export function arrivalLine(arrival: Arrival): string {
  const { number, receivedAt, client, method, path, query, headers, body, signature, idempotency, answer, tookMs } = arrival;
  const head = {
    number,
    received_at: new Date(receivedAt).toISOString(),
    client,
    method,
    path,
    query: groupPairs(query),
    headers: groupPairs(headers.map(([name, value]) => [name.toLowerCase(), value])),
  };
  const tail = { signature, idempotency, answer: { ...answer, took_ms: tookMs } };
  const { content, ...facts } = body;
  const line = (shown: object): string => stringifyJson({ ...head, body: { ...facts, ...shown }, ...tail });
  try {
    return `${printableJson(line(presentContent(content)))}\n`;
  } catch (error) {
    // The JSON may be nested too deep to be serialized.
    if (!(error instanceof RangeError) || content.kind !== 'json') throw error;
    return `${printableJson(line(content))}\n`;
  }
}

function presentContent(content: ArrivedContent): object {
  switch (content.kind) {
    case 'json':
      return { kind: 'json', value: parseJson(content.text) };
    case 'form':
      return { kind: 'form', fields: groupPairs(content.fields) };
    case 'multipart':
      return { kind: 'multipart', parts: content.parts.map(presentPart) };
    default:
      return content;
  }
}

function presentPart({ contentType, ...part }: ArrivedPart): object {
  return { ...part, content_type: contentType };
}
