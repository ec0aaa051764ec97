// Reads the body of a response for the outputs of a step: JSON as a value, other text as text, anything else as base64.

import type { OutboundResult } from '../../core/delivery/outbound.ts';
import { readParameters } from '../../core/form/header-parameters.ts';
import { parseUntrustedJson, UntrustedJsonFault } from '../../core/json/untrusted-json.ts';
import { encodeBase64 } from '../../core/values/base64.ts';
import { decodeText } from '../../core/values/charset.ts';

type Response = Extract<OutboundResult, { kind: 'response' }>;

export interface AnswerBody {
  /** Null if the bytes are not text. */
  body: unknown;
  /** Null if they are. */
  body_base64: string | null;
}

const JSON_TYPE = /^(?:application|text)\/json$|\+json$/;

/** JSON that is cut, not valid or nested too deep is text. */
export function answerBody({ headers, body: bytes, isTruncated }: Pick<Response, 'headers' | 'body' | 'isTruncated'>): AnswerBody {
  const type = readParameters(headers['content-type'] ?? '');
  const charset = type.fault === null ? (type.parameters.get('charset')?.toLowerCase() ?? 'utf-8') : 'utf-8';
  const text = decode(bytes, charset, isTruncated);
  if (text === null) return { body: null, body_base64: encodeBase64(bytes, 'base64') };
  const isJson = type.fault === null && JSON_TYPE.test(type.value) && !isTruncated;
  return { body: isJson ? jsonOrText(text) : text, body_base64: null };
}

/** Null if the bytes are not text of the character set. */
function decode(bytes: Uint8Array, charset: string, isTruncated: boolean): string | null {
  try {
    // Leaves out a last character that was cut.
    if (isTruncated && charset === 'utf-8') return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return decodeText(bytes, charset);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null;
    throw error;
  }
}

function jsonOrText(text: string): unknown {
  try {
    return parseUntrustedJson(text);
  } catch (error) {
    if (error instanceof UntrustedJsonFault) return text;
    throw error;
  }
}
