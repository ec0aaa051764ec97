// Parses a JSON body: strict, bounded in depth, without keys that pollute prototypes, and without loss in numbers.

import secureJson from 'secure-json-parse';
import { parseJson } from '../../core/json/json.ts';
import { surveyJson } from '../../core/json/json-text.ts';
import { AppError } from '../../errors.ts';

const MAX_JSON_DEPTH = 100;

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
  const survey = surveyJson(text);
  if (survey.depth > MAX_JSON_DEPTH) throw refusal(part, `${what} nests deeper than ${MAX_JSON_DEPTH} levels`);
  let value: unknown;
  try {
    value = parse(text, survey);
  } catch (error) {
    const fault = text === '' ? 'is empty, but its type is JSON' : `is not valid JSON: ${(error as Error).message}`;
    throw refusal(part, `${what} ${fault}`);
  }
  if (mayBePoisoned(text) && typeof value === 'object' && value !== null && isPoisoned(value))
    throw refusal(part, `${what} has a key "__proto__" or "constructor.prototype", which is not allowed`);
  return value;
}

function refusal(part: string, message: string): AppError {
  return new AppError('invalid', message, { details: { part } });
}

/** A cheap check without false negatives: an escape may spell any key. */
function mayBePoisoned(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u00');
}

function isPoisoned(value: object): boolean {
  try {
    secureJson.scan(value, { protoAction: 'error', constructorAction: 'error' });
    return false;
  } catch {
    return true;
  }
}
