// Who may trigger a sink: the fields `auth_token`, `auth` and `public` of its definition.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';
import { suggestNames } from '../../values/similar-names.ts';
import { type CredentialDocument, credentialFaults, credentialSchema, readCredential, type TokenHash } from './credentials.ts';
import { readSchemeAuth, type SchemeAuth, type SchemeDefinition, type SchemeDocument, schemeFaults } from './scheme-auth.ts';

/** Credentials in a definition; tokens and secrets are in plain text only here. */
export type AuthDefinition = { type: 'none' } | { type: 'bearer'; tokens: TokenDefinition[] } | SchemeDefinition;

export type TokenDefinition = { name: string | null; endsAt: number | null } & ({ token: string } | { hash: string });

/** Stored credentials: hashes of tokens, and sealed secrets. */
export type SinkAuth = { type: 'none' } | { type: 'bearer'; tokens: TokenHash[] } | SchemeAuth;

const token: JsonSchema = {
  type: 'string',
  pattern: '^[\\x21-\\x7e]{1,1024}$',
  description: 'must be 1 to 1024 visible ASCII characters without spaces',
};
const tokenHash: JsonSchema = { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'must be the lower-case hex SHA-256 of a token' };

const secret: JsonSchema = { type: 'string', minLength: 1, maxLength: 8192 };

/** The credential fields of a sink's document. */
export const authProperties: Record<string, JsonSchema> = {
  auth_token: { ...token, type: ['string', 'null'] },
  auth: {
    type: ['object', 'null'],
    required: ['type'],
    description: 'a type and its credentials: { "type": "bearer", "tokens": […] }, or { "type": "github", "secrets": […] }',
    properties: {
      type: { type: 'string', description: '"none", "bearer", or the name of a scheme such as "github", "stripe" or "hmac"' },
      tokens: credentialSchema('token', token),
      token_hashes: credentialSchema('hash', tokenHash),
      secrets: credentialSchema('value', secret, { sealed: secret }),
    },
  },
  public: { type: 'boolean' },
};

export interface AuthDocument {
  auth_token?: string | null;
  auth?: ({ type: string; tokens?: CredentialDocument<'token'>[]; token_hashes?: CredentialDocument<'hash'>[] } & SchemeDocument) | null;
  public?: boolean;
}

/** Checks beyond the schema: which of the fields may be combined. */
export function authFaults({ auth, auth_token: authToken, public: isPublic }: AuthDocument): Fault[] {
  const faults: Fault[] = [];
  const isStatedTwice = auth !== undefined && authToken !== undefined && !(auth === null && authToken === null);
  if (isStatedTwice) faults.push({ path: 'auth', message: 'cannot stand beside auth_token, which is its short form' });
  if (auth !== undefined && auth !== null) faults.push(...typeFaults(auth));
  const isProtected = (auth !== undefined && auth !== null && auth.type !== 'none') || typeof authToken === 'string';
  if (isPublic === true && isProtected) faults.push({ path: 'public', message: 'cannot be true beside a token' });
  if (isPublic === false && !isProtected) faults.push({ path: 'public', message: 'cannot be false without a token; write auth_token' });
  return faults;
}

function typeFaults(auth: NonNullable<AuthDocument['auth']>): Fault[] {
  const { type, tokens, token_hashes: hashes, ...rest } = auth;
  const hasTokens = tokens !== undefined || hashes !== undefined;
  if (type !== 'none' && type !== 'bearer')
    return hasTokens ? [{ path: 'auth', message: `type "${type}" takes "secrets" instead of tokens` }] : schemeFaults({ type, ...rest });
  const known = type === 'none' ? ['type'] : ['type', 'tokens', 'token_hashes'];
  const extra = Object.keys(rest).map((name) => ({ path: 'auth', message: `unknown field "${name}"${suggestNames(name, known)}` }));
  if (type === 'none') return hasTokens ? [{ path: 'auth', message: 'type "none" takes no tokens' }, ...extra] : extra;
  const missing = hasTokens ? [] : [{ path: 'auth', message: 'field "tokens" is missing' }];
  return [
    ...missing,
    ...extra,
    ...credentialFaults('auth.tokens', tokens ?? [], ['token']),
    ...credentialFaults('auth.token_hashes', hashes ?? [], ['hash']),
  ];
}

/** Reads fields that have no faults. Null when no credential field is set. */
export function readAuth({ auth, auth_token: authToken, public: isPublic }: AuthDocument): AuthDefinition | null {
  if (auth?.type === 'bearer') return { type: 'bearer', tokens: readTokens(auth) };
  if (auth !== undefined && auth !== null && auth.type !== 'none') return readSchemeAuth(auth);
  if (typeof authToken === 'string') return { type: 'bearer', tokens: [{ name: null, endsAt: null, token: authToken }] };
  return auth === undefined && authToken === undefined && isPublic === undefined ? null : { type: 'none' };
}

/** The hashes of tokens that have not ended. `now` is wall time in ms. */
export function validHashes(tokens: readonly TokenHash[], now: number): string[] {
  return tokens.filter(({ endsAt }) => endsAt === null || endsAt > now).map(({ hash }) => hash);
}

function readTokens({ tokens = [], token_hashes: hashes = [] }: NonNullable<AuthDocument['auth']>): TokenDefinition[] {
  const textOf = (item: CredentialDocument<string>, field: string): string => (typeof item === 'string' ? item : (item[field] as string));
  return [
    ...tokens.map((item) => ({ ...readCredential(item), token: textOf(item, 'token') })),
    ...hashes.map((item) => ({ ...readCredential(item), hash: textOf(item, 'hash') })),
  ];
}
