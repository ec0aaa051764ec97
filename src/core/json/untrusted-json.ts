// Parses JSON that a stranger wrote: bounded in depth, without keys that pollute prototypes, and without loss in numbers.

import secureJson from 'secure-json-parse';
import { parseJson } from './json.ts';
import { surveyJson } from './json-text.ts';

const MAX_JSON_DEPTH = 100;

/** The message is the end of a sentence, as `is not valid JSON: …`. */
export class UntrustedJsonFault extends Error {}

/** Throws UntrustedJsonFault. `parse` replaces the parser. */
export function parseUntrustedJson(text: string, parse = parseJson): unknown {
  const survey = surveyJson(text);
  if (survey.depth > MAX_JSON_DEPTH) throw new UntrustedJsonFault(`nests deeper than ${MAX_JSON_DEPTH} levels`);
  let value: unknown;
  try {
    value = parse(text, survey);
  } catch (error) {
    throw new UntrustedJsonFault(`is not valid JSON: ${(error as Error).message}`);
  }
  if (mayBePoisoned(text) && typeof value === 'object' && value !== null && isPoisoned(value))
    throw new UntrustedJsonFault('has a key "__proto__" or "constructor.prototype", which is not allowed');
  return value;
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
