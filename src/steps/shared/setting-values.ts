// Settings that may have come through a selector, read by pydantic's lax rules as Roboflow reads them. The schema of a
// manifest has seen only what is written in it, so that what a selector gives is checked here.

import { stringifyShown } from '../../core/json/stored-value.ts';
import { coerceBoolean, coerceFloat, coerceInteger } from '../../core/values/coercion.ts';

/** A setting holds what it cannot hold; the message says which, and what would be right. */
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

/** It may be infinite. */
export function readNumber(name: string, value: unknown): number {
  const number = coerceFloat(value) ?? Number.NaN;
  if (Number.isNaN(number)) throw new SettingFault(`${name} must be a number, but is ${shown(value)}`);
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

const SHOWN_CHARACTERS = 60;

function shown(value: unknown): string {
  const text = stringifyShown(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}
