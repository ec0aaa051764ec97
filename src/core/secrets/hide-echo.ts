// Masks secrets that a receiver echoes, unescaped or escaped once or twice for URLs, JSON or HTML.

import { parseUrl } from '../../parse-url.ts';
import { quotePlus } from '../values/percent-encoding.ts';
import { MASKED_SECRET } from './placeholder.ts';

/** Masks the secrets in a text. `isCut`: the text is truncated, so a partial secret at its end is masked too. */
export type HideSecrets = (text: string, isCut?: boolean) => string;

/** Shorter secrets would match by chance. */
const SHORTEST_HIDDEN = 4;
const COSTLY_PLACES = 64;
const MAX_FAILED_PLACES = 2 ** 18;

/** Per character of a secret: all spellings that it may have in a text. */
type Pattern = readonly (readonly string[])[];

export function createSecretHider(secrets: readonly string[]): HideSecrets {
  const hidden = new Set(secrets.flatMap(maskableParts).filter(({ length }) => length >= SHORTEST_HIDDEN));
  if (hidden.size === 0) return (text) => text;
  const known = new Map<string, readonly string[]>();
  const cachedSpellings = (character: string): readonly string[] => {
    const spellings = known.get(character) ?? spellingsOf(character);
    known.set(character, spellings);
    return spellings;
  };
  const patterns = [...hidden].map((secret): Pattern => Array.from(secret, cachedSpellings));
  const beginnings = new Set(patterns.flatMap(([first = []]) => first.map((spelling) => spelling.charCodeAt(0))));

  return (original, isCut = false) => {
    const text = lowerCase(original);
    const searches = patterns.map((pattern) => new Search(pattern, text, isCut));
    let shown = '';
    let done = 0;
    for (let at = 0; at < text.length; at += 1) {
      if (!beginnings.has(text.charCodeAt(at))) continue;
      const end = Math.max(...searches.map((search) => search.endOf(at)));
      if (end <= at) continue;
      shown += original.slice(done, at) + MASKED_SECRET;
      done = end;
      at = end - 1;
    }
    return done === 0 ? original : shown + original.slice(done);
  };
}

/** The parts of a secret to mask: for a URL also its path, its query and its password. */
function maskableParts(secret: string): string[] {
  const whole = [secret, base64(secret)];
  if (!/^https?:\/\//i.test(secret) || parseUrl(secret) === null) return whole;
  const { href, pathname, search, searchParams, username, password } = new URL(secret);
  const [user, word] = [decoded(username), decoded(password)];
  return [...whole, href, decoded(pathname + search), decoded(pathname), ...searchParams.values(), word, base64(`${user}:${word}`)];
}

/** One secret in one text. A place where the rest of the secret was not found is not looked at again. */
class Search {
  readonly #pattern: Pattern;
  readonly #text: string;
  readonly #isCut: boolean;
  readonly #failed = new Set<number>();

  constructor(pattern: Pattern, text: string, isCut: boolean) {
    this.#pattern = pattern;
    this.#text = text;
    this.#isCut = isCut;
  }

  /** Returns the end of the secret at `start`, or -1. Follows all readings of the text in parallel. */
  endOf(start: number): number {
    const seen: number[] = [];
    let ends = new Set([start]);
    for (const [index, spellings] of this.#pattern.entries()) {
      const next = new Set<number>();
      for (const position of ends) {
        const place = position * this.#pattern.length + index;
        if (this.#failed.has(place)) continue;
        seen.push(place);
        for (const spelling of spellings) {
          if (this.#text.startsWith(spelling, position)) next.add(position + spelling.length);
          else if (this.#isCut && index >= SHORTEST_HIDDEN && spelling.startsWith(this.#text.slice(position))) return this.#text.length;
        }
      }
      if (next.size === 0) return this.#fail(seen);
      ends = next;
    }
    return Math.max(...ends);
  }

  /** Remembers only what was costly to find out, so that a common text takes no memory. */
  #fail(seen: readonly number[]): -1 {
    if (seen.length >= COSTLY_PLACES && this.#failed.size < MAX_FAILED_PLACES) for (const place of seen) this.#failed.add(place);
    return -1;
  }
}

const UTF8 = new TextEncoder();
const ESCAPES: readonly ((text: string) => string)[] = [
  quotePlus,
  encodeURIComponent,
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (text) => text.replaceAll('/', '\\/'),
  (text) => text.replace(/[&<>"]/g, (character) => HTML_NAMES[character] ?? character),
  (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
  (text) => text.replace(/[&<>"']/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`),
  (text) => text.replaceAll("'", '&#039;'),
];
const HTML_NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** In lower case, so that text in another case matches too. */
function spellingsOf(character: string): readonly string[] {
  const once = ESCAPES.map((write) => write(character));
  const twice = once.flatMap((text) => ESCAPES.map((write) => write(text)));
  const spellings = [character, ...once, ...twice];
  // Bodies and heads are read as Latin-1, one character per byte.
  return [...new Set([...spellings, ...spellings.map(bytesAsText)].map(lowerCase))];
}

function bytesAsText(text: string): string {
  return String.fromCharCode(...UTF8.encode(text));
}

/** Keeps all character indexes, unlike `toLowerCase`. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function base64(text: string): string {
  return btoa(bytesAsText(text));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
