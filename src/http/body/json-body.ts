// Parses a JSON body, and names the part of the body that is at fault.

import { parseJson } from '../../core/json/json.ts';
import { parseUntrustedJson, UntrustedJsonFault } from '../../core/json/untrusted-json.ts';
import { AppError } from '../../errors.ts';

/** Throws `invalid`. `parse` replaces the parser for data. */
export function parseJsonBody(text: string, parse = parseJson): unknown {
  return parsePart(text, 'body', 'the body', parse);
}

/** As `parseJsonBody`, for a field of a form. */
export function parseJsonField(text: string, name: string): unknown {
  return parsePart(text, name, `field "${name}"`, parseJson);
}

/** As `parseJsonBody`, for one line of a body of JSON lines. */
export function parseJsonLine(text: string, line: number): unknown {
  return parsePart(text, 'body', `line ${line} of the body`, parseJson);
}

function parsePart(text: string, part: string, what: string, parse: typeof parseJson): unknown {
  try {
    return parseUntrustedJson(text, parse);
  } catch (error) {
    if (!(error instanceof UntrustedJsonFault)) throw error;
    const fault = text === '' ? 'is empty, but its type is JSON' : error.message;
    throw new AppError('invalid', `${what} ${fault}`, { details: { part } });
  }
}
