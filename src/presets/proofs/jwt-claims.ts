// The claims that a token must have, which bind it to the sink, and some to the body.

import type { JwtProof } from '../preset.ts';
import type { SettingValues } from '../scheme.ts';

export interface ClaimContext {
  settings: SettingValues;
  /** The public URL of the request, with its query. */
  url: string;
  /** SHA-256. */
  bodyHash: Buffer;
}

export function isBoundToBody({ claims }: Pick<JwtProof, 'claims'>): boolean {
  return Object.values(claims).some((value) => typeof value === 'string' && value.startsWith('{body-'));
}

/** True when a claim is the public URL of the sink. */
export function bindsUrl({ claims }: Pick<JwtProof, 'claims'>, settings: SettingValues): boolean {
  return Object.values(claims).some((value) => {
    const found = typeof value === 'string' ? /^\{(?:(\w+)\|)?url\}$/.exec(value) : null;
    return found !== null && (found[1] === undefined || settings[found[1]] === undefined);
  });
}

/** Returns the fault of the claims, or null. A list in the token must contain the value. */
export function claimFault({ claims }: Pick<JwtProof, 'claims'>, payload: Readonly<Record<string, unknown>>, context: ClaimContext) {
  const wrong = Object.entries(claims).find(([name, value]) => {
    const wanted = wantedValues(value, context);
    const given = Object.hasOwn(payload, name) ? payload[name] : undefined;
    return !(Array.isArray(given) ? given : [given]).some((item) => wanted.includes(item));
  });
  if (wrong === undefined) return null;
  const [name, value] = wrong;
  if (typeof value === 'string' && value.startsWith('{body-')) return `its claim ${name} is not the hash of the body`;
  return `its claim ${name} is missing or not the one of this sink`;
}

function wantedValues(value: JwtProof['claims'][string], { settings, url, bodyHash }: ClaimContext): unknown[] {
  if (typeof value === 'boolean') return [value];
  if (typeof value !== 'string') return [...value];
  const [, term, fallback] = /^\{([\w-]+)(?:\|(\w+))?\}$/.exec(value) ?? [];
  if (term === undefined) return [value];
  if (term === 'body-sha256-hex') return [bodyHash.toString('hex')];
  if (term === 'body-sha256-base64') return [bodyHash.toString('base64')];
  const setting = settings[term];
  if (setting !== undefined) return [setting];
  return term === 'url' || fallback === 'url' ? [url, url.replace(/\?.*$/, '')] : [];
}
