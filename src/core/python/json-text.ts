// Writes JSON as Python's `json.dumps` does: separators `", "` and `": "`, only ASCII, floats by their repr. Every sent
// message passes here, so each value is visited once and text without escapes is not copied.

import { floatText } from './format/float-text.ts';
import { isDict, kindOf } from './kind.ts';

/** The body that Python's `requests` sends. Throws a TypeError or RangeError with Python's message if JSON lacks the value. */
export function pythonJson(value: unknown): string {
  return write(value, refuseNonFinite);
}

/** Like `json.dumps` with its defaults: writes `NaN` and `Infinity`, which strict JSON parsers refuse. */
export function pythonJsonWithNaN(value: unknown): string {
  return write(value, nameNonFinite);
}

type NonFiniteWriter = (float: number) => string;

function write(value: unknown, writeNonFinite: NonFiniteWriter): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
      break;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return writeList(value, writeNonFinite);
      if (isDict(value)) return writeDict(value, writeNonFinite);
  }
  return writeOther(value, writeNonFinite);
}

/** Writes exact numbers and floats, and refuses values that JSON does not have. */
function writeOther(value: unknown, writeNonFinite: NonFiniteWriter): string {
  switch (kindOf(value)) {
    case 'int':
      return String(BigInt(String(value)));
    case 'float': {
      const float = Number(value);
      return Number.isFinite(float) ? floatText(float) : writeNonFinite(float);
    }
    case 'NoneType':
      return 'null';
    default:
      throw new TypeError(`Object of type ${kindOf(value)} is not JSON serializable`);
  }
}

function writeList(items: readonly unknown[], writeNonFinite: NonFiniteWriter): string {
  let text = '';
  for (const item of items) text += text === '' ? write(item, writeNonFinite) : `, ${write(item, writeNonFinite)}`;
  return `[${text}]`;
}

function writeDict(dict: Record<string, unknown>, writeNonFinite: NonFiniteWriter): string {
  let text = '';
  for (const key of Object.keys(dict)) text += `${text === '' ? '' : ', '}${quote(key)}: ${write(dict[key], writeNonFinite)}`;
  return `{${text}}`;
}

function refuseNonFinite(): never {
  throw new RangeError('Out of range float values are not JSON compliant');
}

function nameNonFinite(float: number): string {
  if (Number.isNaN(float)) return 'NaN';
  return float > 0 ? 'Infinity' : '-Infinity';
}

/** JSON.stringify escapes quotes, control characters and lone surrogates as Python does, but leaves other non-ASCII text. */
function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const NEEDS_ESCAPE = /[^\x20-\x7e]|["\\]/;
const BEYOND_ASCII = /[\x7f-\uffff]/g;
