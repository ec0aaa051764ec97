// JSON as Python's `json.dumps` writes it: `", "` and `": "`, ASCII alone, floats by their repr.

import { floatText } from './float-text.ts';
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
  switch (kindOf(value)) {
    case 'NoneType':
      return 'null';
    case 'bool':
      return String(value);
    case 'int':
      return String(BigInt(String(value)));
    case 'float': {
      const float = Number(value);
      return Number.isFinite(float) ? floatText(float) : writeUnusual(float);
    }
    case 'str':
      return quote(value as string);
    case 'bytes':
    case 'datetime':
      throw new TypeError(`Object of type ${kindOf(value)} is not JSON serializable`);
    default:
      return isDict(value)
        ? writeDict(value, writeUnusual)
        : `[${(value as unknown[]).map((item) => write(item, writeUnusual)).join(', ')}]`;
  }
}

function writeDict(dict: Record<string, unknown>, writeUnusual: WriteUnusual): string {
  const items = Object.entries(dict).map(([key, item]) => `${quote(key)}: ${write(item, writeUnusual)}`);
  return `{${items.join(', ')}}`;
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
  return JSON.stringify(text).replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const BEYOND_ASCII = /[\x7f-\uffff]/g;
