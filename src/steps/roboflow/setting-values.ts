// Settings that may have come through a selector, read by pydantic's lax rules as Roboflow reads them. The schema of a
// manifest has seen only what is written in it, so that what a selector gives is checked here.

import { ExactNumber } from '../../core/json.ts';
import { stringifyShown } from '../../core/stored-value.ts';

/** A setting holds what it cannot hold; the message says which, and what would be right. */
export class SettingFault extends Error {}

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, '1', 'true', 't', 'yes', 'y', 'on'].map((word) => [word, true] as const),
  ...[false, 0, '0', 'false', 'f', 'no', 'n', 'off'].map((word) => [word, false] as const),
]);

export function readFlag(name: string, value: unknown): boolean {
  const flag = FLAGS.get(typeof value === 'string' ? value.toLowerCase() : plainNumber(value));
  if (flag === undefined) throw new SettingFault(`${name} must be true or false, but is ${shown(value)}`);
  return flag;
}

export function readInteger(name: string, value: unknown): number {
  const number = readNumberOrNaN(value);
  if (!Number.isSafeInteger(number)) throw new SettingFault(`${name} must be a whole number, but is ${shown(value)}`);
  return number;
}

export function readNumber(name: string, value: unknown): number {
  const number = readNumberOrNaN(value);
  if (!Number.isFinite(number)) throw new SettingFault(`${name} must be a number, but is ${shown(value)}`);
  return number;
}

export function readText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new SettingFault(`${name} must be text, but is ${shown(value)}`);
  return value;
}

/** As text that goes into a header of a mail, where another line would be another header. */
export function readLine(name: string, value: unknown): string {
  const line = readText(name, value);
  if (/[\r\n]/.test(line)) throw new SettingFault(`${name} must be one line, but is ${shown(value)}`);
  return line;
}

/** An address that paths are added to, without a slash at its end. */
export function readServiceUrl(name: string, value: unknown): string {
  const url = readText(name, value);
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new SettingFault(`${name} must be an address, as https://example.org, but is ${shown(value)}`);
  }
  return url.replace(/\/+$/, '');
}

/** One line or a list of them, as a list; null and nothing are an empty one. */
export function readLines(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [readLine(name, value)];
  return value.map((item, index) => readLine(`${name}[${index}]`, item));
}

const NUMBER_TEXT = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;

function readNumberOrNaN(value: unknown): number {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') return NUMBER_TEXT.test(value) ? Number(value) : Number.NaN;
  const number = plainNumber(value);
  return typeof number === 'number' ? number : Number.NaN;
}

function plainNumber(value: unknown): unknown {
  return value instanceof ExactNumber ? Number(value) : value;
}

const SHOWN_CHARACTERS = 60;

function shown(value: unknown): string {
  const text = stringifyShown(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}
