// Python's `str()` and `repr()` of a value: `True`, `None`, `1.0`, `['a', 1]`.

import type { Bytes } from '../values/bytes.ts';
import type { Timestamp } from '../values/timestamp.ts';
import { floatText } from './format/float-text.ts';
import { isDict, kindOf } from './kind.ts';
import type { Tuple } from './tuple.ts';

/** `str(value)`. */
export function strOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return kindOf(value) === 'datetime' ? (value as Timestamp).isoFormat(' ') : reprOf(value);
}

/** `repr(value)`. */
export function reprOf(value: unknown): string {
  switch (kindOf(value)) {
    case 'NoneType':
      return 'None';
    case 'bool':
      return value === true ? 'True' : 'False';
    case 'int':
      return String(BigInt(String(value)));
    case 'float':
      return floatText(Number(value));
    case 'str':
      return reprOfText(value as string);
    case 'bytes':
      return reprOfBytes((value as Bytes).data);
    case 'datetime':
      return reprOfTimestamp(value as Timestamp);
    case 'tuple':
      return reprOfTuple(value as Tuple);
    default:
      return isDict(value) ? reprOfDict(value) : `[${reprOfItems(value as unknown[])}]`;
  }
}

function reprOfItems(items: readonly unknown[]): string {
  return items.map(reprOf).join(', ');
}

/** A tuple of one item has a trailing comma. */
function reprOfTuple(items: Tuple): string {
  return items.length === 1 ? `(${reprOf(items[0])},)` : `(${reprOfItems(items)})`;
}

function reprOfDict(dict: Record<string, unknown>): string {
  const items = Object.entries(dict).map(([key, item]) => `${reprOfText(key)}: ${reprOf(item)}`);
  return `{${items.join(', ')}}`;
}

function reprOfText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return quote + text.replace(NEEDS_ESCAPE, (character) => escapeOf(character, quote)) + quote;
}

/** Backslash, quotes, and the characters that Python does not print: controls, unassigned ones, and separators except space. */
const NEEDS_ESCAPE = /[\\'"]|(?! )[\p{C}\p{Z}]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOf(character: string, quote: string): string {
  if (character === "'" || character === '"') return character === quote ? `\\${character}` : character;
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) as number;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function reprOfBytes(data: Uint8Array): string {
  const hasOnlySingleQuotes = data.includes(39) && !data.includes(34);
  const quote = hasOnlySingleQuotes ? '"' : "'";
  const characters = Array.from(data, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === quote) return `\\${quote}`;
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) return short;
    return byte >= 0x20 && byte < 0x7f ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `b${quote}${characters.join('')}${quote}`;
}

function reprOfTimestamp(timestamp: Timestamp): string {
  const [date, clock] = timestamp.isoFormat().slice(0, 19).split('T') as [string, string];
  const { microsecond, offsetSeconds } = timestamp;
  const [hour, minute, second] = clock.split(':').map(Number) as [number, number, number];
  const parts: (number | string)[] = [...date.split('-').map(Number), hour, minute];
  if (second !== 0 || microsecond !== 0) parts.push(second);
  if (microsecond !== 0) parts.push(microsecond);
  if (offsetSeconds !== null) parts.push(`tzinfo=${reprOfOffset(offsetSeconds)}`);
  return `datetime.datetime(${parts.join(', ')})`;
}

function reprOfOffset(seconds: number): string {
  if (seconds === 0) return 'datetime.timezone.utc';
  const days = Math.floor(seconds / 86_400);
  const parts = [...(days === 0 ? [] : [`days=${days}`]), `seconds=${seconds - days * 86_400}`];
  return `datetime.timezone(datetime.timedelta(${parts.join(', ')}))`;
}

const EXCERPT_LENGTH = 128;

/** `str(value)` for messages, cut to 128 code points. */
export function excerptOf(value: unknown): string {
  const text = strOf(value);
  if (text.length <= EXCERPT_LENGTH) return text;
  const characters = Array.from(text);
  return characters.length <= EXCERPT_LENGTH ? text : `${characters.slice(0, EXCERPT_LENGTH).join('')} [...]`;
}
