// A JSON body: strict, bounded in depth, free of keys that poison prototypes, its numbers without loss.

import secureJson from 'secure-json-parse';
import { parseJson } from '../../core/json.ts';
import { surveyJson } from '../../core/json-text.ts';
import { AppError } from '../../errors.ts';

const MAX_JSON_DEPTH = 100;

/** Throws `invalid` that says what is wrong. `parse` reads the text in another way than data is read. */
export function parseJsonBody(text: string, parse = parseJson): unknown {
  const survey = surveyJson(text);
  if (survey.depth > MAX_JSON_DEPTH) throw new AppError('invalid', `the JSON body nests deeper than ${MAX_JSON_DEPTH} levels`);
  let value: unknown;
  try {
    value = parse(text, survey);
  } catch (error) {
    throw new AppError(
      'invalid',
      text === '' ? 'the body is empty where JSON was announced' : `the body is not valid JSON: ${(error as Error).message}`,
    );
  }
  if (mayHoldPoison(text) && typeof value === 'object' && value !== null) refusePoison(value);
  return value;
}

/** Cheap, and right to be suspicious: an escape may spell any key. */
function mayHoldPoison(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u00');
}

function refusePoison(value: object): void {
  try {
    secureJson.scan(value, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new AppError('invalid', 'the JSON body holds a key "__proto__" or "constructor.prototype", which no body may');
  }
}
