// Encodes values of a run for storage and for callers. Almost all are plain JSON; bytes, timestamps and tuples, which
// steps may pass to one another, are stored with their type.

import { Tuple } from '../python/tuple.ts';
import { Bytes } from '../values/bytes.ts';
import { parseTimestamp, Timestamp } from '../values/timestamp.ts';
import { parseJson, stringifyJson } from './json.ts';

/** Marks a text in which an object with a single `$` key encodes a typed value. */
const TYPED = '$typed';

type Convert = (value: unknown) => unknown;

export function encodeStored(value: unknown): string {
  if (isPlainObject(value) && Object.hasOwn(value, TYPED)) return stringifyJson({ [TYPED]: toTyped(value) });
  return stringifyUntyped(value, () => stringifyJson({ [TYPED]: toTyped(value) }));
}

export function decodeStored(text: string): unknown {
  const value = parseJson(text);
  return text.startsWith(`{"${TYPED}":`) ? fromTyped((value as Record<string, unknown>)[TYPED]) : value;
}

/** JSON text for callers: bytes as base64, timestamps in ISO 8601, tuples as lists. */
export function stringifyShown(value: unknown): string {
  return stringifyUntyped(value, () => stringifyJson(shownValue(value)));
}

/** Bytes, timestamps and tuples throw in `toJSON`, which detects them without a search of every value. */
function stringifyUntyped(value: unknown, otherwise: () => string): string {
  try {
    return stringifyJson(value);
  } catch (error) {
    if (error instanceof TypeError) return otherwise();
    throw error;
  }
}

function toTyped(value: unknown): unknown {
  if (value instanceof Bytes) return { $bytes: toBase64(value.data) };
  if (value instanceof Timestamp) return { $timestamp: value.isoFormat() };
  if (value instanceof Tuple) return { $tuple: value.map(toTyped) };
  const mapped = mapParts(value, toTyped);
  return isPlainObject(mapped) && soleKey(mapped)?.startsWith('$') === true ? { $object: mapped } : mapped;
}

function fromTyped(value: unknown): unknown {
  if (!isPlainObject(value)) return mapParts(value, fromTyped);
  switch (soleKey(value)) {
    case '$bytes':
      return new Bytes(fromBase64(String(value['$bytes'])));
    case '$timestamp':
      return parseTimestamp(String(value['$timestamp']));
    case '$tuple':
      return Tuple.from((value['$tuple'] as unknown[]).map(fromTyped));
    case '$object':
      return mapParts(value['$object'], fromTyped);
    default:
      return mapParts(value, fromTyped);
  }
}

/** The value as `stringifyShown` writes it. */
export function shownValue(value: unknown): unknown {
  if (value instanceof Bytes) return toBase64(value.data);
  if (value instanceof Timestamp) return value.isoFormat();
  return mapParts(value, shownValue);
}

function mapParts(value: unknown, convert: Convert): unknown {
  if (Array.isArray(value)) return value.map(convert);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, convert(part)]));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}

function soleKey(value: Record<string, unknown>): string | undefined {
  const keys = Object.keys(value);
  return keys.length === 1 ? keys[0] : undefined;
}

/** In pieces, because the number of arguments of a call is limited. */
function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
