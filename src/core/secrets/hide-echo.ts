// Masks secrets that a receiver echoes, unescaped or escaped once or twice for URLs, JSON or HTML.

import { quotePlus } from '../values/percent-encoding.ts';
import { MASKED_SECRET } from './placeholder.ts';

/** Masks the secrets in a text. `isCut`: the text is truncated, so a partial secret at its end is masked too. */
export type HideSecrets = (text: string, isCut?: boolean) => string;

/** Shorter secrets would match by chance. */
const SHORTEST_HIDDEN = 4;

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
    let shown = '';
    let done = 0;
    for (let at = 0; at < text.length; at += 1) {
      if (!beginnings.has(text.charCodeAt(at))) continue;
      const end = Math.max(...patterns.map((pattern) => endOf(pattern, text, at, isCut)));
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
  if (!/^https?:\/\//i.test(secret) || !URL.canParse(secret)) return whole;
  const { href, pathname, search, searchParams, username, password } = new URL(secret);
  const [user, word] = [decoded(username), decoded(password)];
  return [...whole, href, decoded(pathname + search), decoded(pathname), ...searchParams.values(), word, base64(`${user}:${word}`)];
}

/** Returns the end of the secret at `start`, or -1. Follows all readings of the text in parallel. */
function endOf(pattern: Pattern, text: string, start: number, isCut: boolean): number {
  let ends = new Set([start]);
  for (const [index, spellings] of pattern.entries()) {
    const next = new Set<number>();
    for (const position of ends) {
      for (const spelling of spellings) {
        if (text.startsWith(spelling, position)) next.add(position + spelling.length);
        else if (isCut && index >= SHORTEST_HIDDEN && spelling.startsWith(text.slice(position))) return text.length;
      }
    }
    if (next.size === 0) return -1;
    ends = next;
  }
  return Math.max(...ends);
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
