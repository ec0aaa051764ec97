// Reads settings that may come from a selector, by pydantic's lax rules, as Roboflow does. The schema checks only the
// literals of a manifest; selected values are validated here.

import { stringifyShown } from '../../core/json/stored-value.ts';
import { coerceBoolean, coerceFloat, coerceInteger } from '../../core/values/coercion.ts';
import { parseUrl } from '../../parse-url.ts';

/** Thrown for an invalid setting; the message names it and the expected value. */
export class SettingFault extends Error {}

export function readFlag(name: string, value: unknown): boolean {
  const flag = coerceBoolean(value);
  if (flag === null) throw new SettingFault(`${name} must be true or false, but is ${shown(value)}`);
  return flag;
}

export function readInteger(name: string, value: unknown): number {
  const integer = Number(coerceInteger(value) ?? Number.NaN);
  if (!Number.isSafeInteger(integer)) throw new SettingFault(`${name} must be a whole number, but is ${shown(value)}`);
  return integer;
}

/** The result may be infinite. */
export function readNumber(name: string, value: unknown): number {
  const number = coerceFloat(value) ?? Number.NaN;
  if (Number.isNaN(number)) throw new SettingFault(`${name} must be a number, but is ${shown(value)}`);
  return number;
}

export function readText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new SettingFault(`${name} must be text, but is ${shown(value)}`);
  return value;
}

export function readList(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new SettingFault(`${name} must be a list, but is ${shown(value)}`);
  return value;
}

/** Text for a mail header. Refuses line breaks, which would begin another header. */
export function readLine(name: string, value: unknown): string {
  const line = readText(name, value);
  if (/[\r\n]/.test(line)) throw new SettingFault(`${name} must be one line, but is ${shown(value)}`);
  return line;
}

/** A base URL without a trailing slash. */
export function readServiceUrl(name: string, value: unknown): string {
  const url = readText(name, value);
  if (!/^https?:\/\//i.test(url) || parseUrl(url) === null) {
    throw new SettingFault(`${name} must be a URL, such as https://example.org, but is ${shown(value)}`);
  }
  return url.replace(/\/+$/, '');
}

/** Accepts one line or a list and returns a list; null and undefined become an empty list. */
export function readLines(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [readLine(name, value)];
  return value.map((item, index) => readLine(`${name}[${index}]`, item));
}

const SHOWN_CHARACTERS = 60;

function shown(value: unknown): string {
  const text = stringifyShown(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}
