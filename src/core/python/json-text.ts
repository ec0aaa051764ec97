// JSON as Python's `json.dumps` writes it: `", "` and `": "`, ASCII alone, floats by their repr. On the path of every
// message that is sent, so that it looks at each value once and copies no text that needs no escape.

import { floatText } from './format/float-text.ts';
import { isDict, kindOf } from './kind.ts';

/** The body that Python's `requests` sends for the value. Throws an Error with Python's message for what JSON cannot say. */
export function pythonJson(value: unknown): string {
  return write(value, refuseFloat);
}

/** As pythonJson, but NaN and the infinities are written by name, which no strict reader takes: `json.dumps` as it comes. */
export function pythonJsonWithNaN(value: unknown): string {
  return write(value, nameFloat);
}

type WriteUnusual = (float: number) => string;

function write(value: unknown, writeUnusual: WriteUnusual): string {
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
      if (Array.isArray(value)) return writeList(value, writeUnusual);
      if (isDict(value)) return writeDict(value, writeUnusual);
  }
  return writeRare(value, writeUnusual);
}

/** What is neither text nor a container: numbers of every kind, and what JSON does not know. */
function writeRare(value: unknown, writeUnusual: WriteUnusual): string {
  switch (kindOf(value)) {
    case 'int':
      return String(BigInt(String(value)));
    case 'float': {
      const float = Number(value);
      return Number.isFinite(float) ? floatText(float) : writeUnusual(float);
    }
    case 'NoneType':
      return 'null';
    default:
      throw new TypeError(`Object of type ${kindOf(value)} is not JSON serializable`);
  }
}

function writeList(items: readonly unknown[], writeUnusual: WriteUnusual): string {
  let text = '';
  for (const item of items) text += text === '' ? write(item, writeUnusual) : `, ${write(item, writeUnusual)}`;
  return `[${text}]`;
}

function writeDict(dict: Record<string, unknown>, writeUnusual: WriteUnusual): string {
  let text = '';
  for (const key of Object.keys(dict)) text += `${text === '' ? '' : ', '}${quote(key)}: ${write(dict[key], writeUnusual)}`;
  return `{${text}}`;
}

function refuseFloat(): never {
  throw new RangeError('Out of range float values are not JSON compliant');
}

function nameFloat(float: number): string {
  if (Number.isNaN(float)) return 'NaN';
  return float > 0 ? 'Infinity' : '-Infinity';
}

/** JSON.stringify escapes quotes, controls and lone surrogates as Python does; what is beyond ASCII is left to us. */
function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const NEEDS_ESCAPE = /[^\x20-\x7e]|["\\]/;
const BEYOND_ASCII = /[\x7f-\uffff]/g;
