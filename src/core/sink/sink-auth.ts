// Who may trigger a sink: the fields `auth_token`, `auth` and `public` of its definition.

import type { Fault } from '../fault.ts';
import type { JsonSchema } from '../schema.ts';

/** Credentials in a definition; tokens are in plain text only here. */
export type AuthDefinition = { type: 'none' } | { type: 'bearer'; tokens: string[]; tokenHashes: string[] };

/** Stored credentials: tokens only as lower-case hex SHA-256. */
export type SinkAuth = { type: 'none' } | { type: 'bearer'; tokenHashes: string[] };

const token: JsonSchema = {
  type: 'string',
  pattern: '^[\\x21-\\x7e]{1,1024}$',
  description: 'must be 1 to 1024 visible ASCII characters without spaces',
};
const tokenHash: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'must be the lower-case hex SHA-256 of a token' };
/** Maximum tokens of one sink at a time: enough for rotation. */
const MAX_TOKENS = 16;

/** The credential fields of a sink's document. */
export const authProperties: Record<string, JsonSchema> = {
  auth_token: { ...token, type: ['string', 'null'] },
  auth: {
    type: ['object', 'null'],
    required: ['type'],
    additionalProperties: false,
    properties: {
      type: { type: 'string', enum: ['none', 'bearer'] },
      tokens: { type: 'array', minItems: 1, maxItems: MAX_TOKENS, items: token },
      token_hashes: { type: 'array', minItems: 1, maxItems: MAX_TOKENS, items: tokenHash },
    },
  },
  public: { type: 'boolean' },
};

export interface AuthDocument {
  auth_token?: string | null;
  auth?: { type: 'none' | 'bearer'; tokens?: string[]; token_hashes?: string[] } | null;
  public?: boolean;
}

/** Checks beyond the schema: which of the fields may be combined. */
export function authFaults({ auth, auth_token: authToken, public: isPublic }: AuthDocument): Fault[] {
  const faults: Fault[] = [];
  const isStatedTwice = auth !== undefined && authToken !== undefined && !(auth === null && authToken === null);
  if (isStatedTwice) faults.push({ path: 'auth', message: 'cannot stand beside auth_token, which is its short form' });
  const hasTokens = auth?.tokens !== undefined || auth?.token_hashes !== undefined;
  if (auth?.type === 'bearer' && !hasTokens) faults.push({ path: 'auth', message: 'field "tokens" is missing' });
  if (auth?.type === 'none' && hasTokens) faults.push({ path: 'auth', message: 'type "none" takes no tokens' });
  const isProtected = auth?.type === 'bearer' || typeof authToken === 'string';
  if (isPublic === true && isProtected) faults.push({ path: 'public', message: 'cannot be true beside a token' });
  if (isPublic === false && !isProtected) faults.push({ path: 'public', message: 'cannot be false without a token; write auth_token' });
  return faults;
}

/** Reads fields that have no faults. Null when no credential field is set. */
export function readAuth({ auth, auth_token: authToken, public: isPublic }: AuthDocument): AuthDefinition | null {
  if (auth?.type === 'bearer') return { type: 'bearer', tokens: auth.tokens ?? [], tokenHashes: auth.token_hashes ?? [] };
  if (typeof authToken === 'string') return { type: 'bearer', tokens: [authToken], tokenHashes: [] };
  return auth === undefined && authToken === undefined && isPublic === undefined ? null : { type: 'none' };
}
