// JSON Web Tokens whose keys and claims an operator describes in the sink.

import { parseUrl } from '../parse-url.ts';
import { headerFaults, setting } from './generic-settings.ts';
import type { JwtAlgorithm, JwtProof } from './preset.ts';
import type { Scheme, SettingFault } from './scheme.ts';

const SHARED = ['HS256', 'HS384', 'HS512'];
const PUBLIC = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];

interface JwtSettings {
  header?: string;
  prefix?: string;
  algorithms: JwtAlgorithm[];
  issuer?: string;
  audience?: string;
  jwks_url?: string;
  claims?: string[];
}

export const JWT_SCHEME: Scheme = {
  id: 'jwt',
  preset: null,
  settings: [
    setting('header', 'the header with the token: Authorization by default'),
    setting('prefix', 'text before the token: "Bearer " by default in Authorization'),
    setting('algorithms', 'the algorithms that are allowed', { kind: 'list', isRequired: true, choices: [...SHARED, ...PUBLIC] }),
    setting('issuer', 'the value of the claim iss'),
    setting('audience', 'the value of the claim aud'),
    setting('jwks_url', 'where the sender publishes its public keys, in place of secrets'),
    setting('claims', 'further claims that must have a value, as "email=ci@example.org"', { kind: 'list' }),
  ],
  needsSecrets: ({ jwks_url: url }) => url === undefined,
  capturesSecret: false,
  proofOf: (settings) => readJwt(settings as unknown as JwtSettings),
  faultsOf: (settings) => jwtFaults(settings as unknown as JwtSettings),
};

function readJwt({ header = 'authorization', prefix, algorithms, issuer, audience, jwks_url: jwks, claims = [] }: JwtSettings): JwtProof {
  const name = header.toLowerCase();
  return {
    kind: 'jwt',
    header: name,
    prefix: prefix ?? (name === 'authorization' ? 'Bearer ' : ''),
    algorithms,
    ...(jwks === undefined ? {} : { jwks }),
    claims: {
      ...Object.fromEntries(claims.map((claim) => splitClaim(claim)).map(([key, value]) => [key, [value]])),
      ...(issuer === undefined ? {} : { iss: [issuer] }),
      ...(audience === undefined ? {} : { aud: [audience] }),
    },
  };
}

function splitClaim(claim: string): [name: string, value: string] {
  const end = claim.indexOf('=');
  return [claim.slice(0, end), claim.slice(end + 1)];
}

function jwtFaults({ header = 'authorization', algorithms, audience, jwks_url: url, claims = [] }: JwtSettings): SettingFault[] {
  const isShared = algorithms.map((algorithm) => SHARED.includes(algorithm));
  const fault = (isFault: boolean, name: string, message: string): SettingFault[] => (isFault ? [{ setting: name, message }] : []);
  return [
    ...headerFaults('header', header),
    ...fault(new Set(isShared).size > 1, 'algorithms', 'must be all of shared secrets (HS…), or all of public keys'),
    ...fault(url !== undefined && isShared.includes(true), 'jwks_url', 'publishes public keys, and "algorithms" has one of shared secrets'),
    ...fault(url !== undefined && !isHttps(url), 'jwks_url', 'must be an https URL'),
    // The keys of an issuer sign tokens for all of its audiences.
    ...fault(url !== undefined && audience === undefined, 'audience', 'is missing: the sender signs tokens for others with the same keys'),
    ...fault(!claims.every((claim) => /^[^=]+=./.test(claim)), 'claims', 'must be texts as "name=value"'),
  ];
}

function isHttps(url: string): boolean {
  return parseUrl(url) !== null && url.startsWith('https://');
}
