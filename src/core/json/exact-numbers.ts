// Restores numbers that JSON.parse would change. One pass over the text finds their locations; objects and lists without
// such numbers are not visited, so it costs a third of parsing by hand.

import {
  beginsNumber,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  endOfNumber,
  endOfString,
  keepsText,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-text.ts';

type Container = Record<string | number, unknown>;

/** An object or list that is open at the current position. */
interface Level {
  readonly outer: Level | null;
  readonly isList: boolean;
  /** Of a list: index of the current item. */
  index: number;
  /** Of an object: the number of keys so far, and where the last of them begins. */
  keys: number;
  keyStart: number;
  /** Where the last string of this level begins, a key or a value. */
  stringStart: number;
  /** In the parsed value; null until a number in it is restored. */
  container: Container | null;
}

/**
 * Changes `parsed`, the result of JSON.parse for `text`, in place. Returns it, or the number itself when the text is one
 * number. Undefined when an object repeats a key, which makes locations ambiguous: `parsed` is then unusable.
 */
export function restoreNumbers(text: string, parsed: unknown, makeExact: (digits: string) => unknown): unknown {
  const whole = [parsed];
  let level = levelWithin(null, true);
  level.container = whole as unknown as Container;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      level.stringStart = at;
      at = endOfString(text, at);
    } else if (code === COLON) {
      level.keyStart = level.stringStart;
      level.keys += 1;
    } else if (code === COMMA) level.index += 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) level = levelWithin(level, code === OPEN_BRACKET);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (repeatsKey(level)) return undefined;
      level = level.outer as Level;
    } else if (beginsNumber(code)) {
      const end = endOfNumber(text, at);
      if (!keepsText(text, at, end)) {
        const container = containerOf(level, text);
        const key = keyIn(level, text);
        if (container === null || !Object.hasOwn(container, key)) return undefined;
        container[key] = makeExact(text.slice(at, end));
      }
      at = end - 1;
    }
  }
  return whole[0];
}

function levelWithin(outer: Level | null, isList: boolean): Level {
  return { outer, isList, index: 0, keys: 0, keyStart: 0, stringStart: 0, container: null };
}

/**
 * Null when the parsed value has nothing, or another type, there: a later value of a repeated key replaced it. Only own
 * properties count, or the key `__proto__` of a replaced value would lead to the prototype of all objects.
 */
function containerOf(level: Level, text: string): Container | null {
  if (level.container !== null) return level.container;
  const outer = level.outer as Level;
  const parent = containerOf(outer, text);
  const key = keyIn(outer, text);
  const found = parent !== null && Object.hasOwn(parent, key) ? parent[key] : null;
  if (typeof found !== 'object' || found === null || Array.isArray(found) !== level.isList) return null;
  level.container = found as Container;
  return level.container;
}

function keyIn({ isList, index, keyStart }: Level, text: string): string | number {
  if (isList) return index;
  const end = endOfString(text, keyStart);
  const key = text.slice(keyStart + 1, end);
  return key.includes('\\') ? (JSON.parse(text.slice(keyStart, end + 1)) as string) : key;
}

/** Detected only for an object in which a number was restored. */
function repeatsKey({ isList, container, keys }: Level): boolean {
  return container !== null && !isList && Object.keys(container).length !== keys;
}
