// Schemes that an operator describes in the sink: a row of the table, written by hand.

import { JWT_SCHEME } from './generic-jwt.ts';
import { headerFaults, setting } from './generic-settings.ts';
import type { Encoding, KeyEncoding, Place, PresetSetting, Proof, SignatureProof, TimestampSource } from './preset.ts';
import { signedTextFault } from './proofs/signed-text.ts';
import type { Scheme, SettingValues } from './scheme.ts';

const HMAC_SETTINGS: readonly PresetSetting[] = [
  setting('header', 'the header with the signature', { isRequired: true }),
  setting('algorithm', 'sha256 by default', { choices: ['sha1', 'sha256', 'sha512'] }),
  setting('encoding', 'of the signature: hex by default', { choices: ['hex', 'base64', 'base64url'] }),
  setting('prefix', 'text before the signature, as "sha256="'),
  setting('key_encoding', 'of the secrets: utf8 by default', { choices: ['utf8', 'hex', 'base64', 'whsec'] }),
  setting('signed', 'the signed text: "{body}" by default; also {timestamp}, {id}, {method} and {url}'),
  setting('timestamp', 'where the signed time is: a header, or "field:t" for an item of the signature\'s header'),
  setting('timestamp_unit', 's by default', { choices: ['s', 'ms', 'rfc3339'] }),
  setting('tolerance_seconds', "how far the time may be from the server's: 300 by default", { kind: 'number' }),
  setting('id_header', 'the header with the signed id of the delivery'),
  setting('item_separator', 'between items of a header such as "t=1,v1=5f"'),
  setting('key_separator', 'between key and value of an item: "=" by default'),
  setting('signature_key', 'the key of the item with the signature: "v1" by default'),
];

const hmac: Scheme = {
  id: 'hmac',
  preset: null,
  settings: HMAC_SETTINGS,
  needsSecrets: () => true,
  capturesSecret: false,
  proofOf: readHmac,
  faultsOf: hmacFaults,
};

const apiKey: Scheme = {
  id: 'api_key',
  preset: null,
  settings: [setting('header', 'the header with the key'), setting('query', 'the parameter of the query with the key')],
  needsSecrets: () => true,
  capturesSecret: false,
  proofOf: ({ header, query }): Proof => ({
    kind: 'equal',
    place: header === undefined ? `query:${String(query)}` : headerPlace(String(header)),
  }),
  faultsOf: ({ header, query }) => {
    if ((header === undefined) === (query === undefined)) return [{ setting: 'header', message: 'write one of "header" and "query"' }];
    return header === undefined ? [] : headerFaults('header', header);
  },
};

const basic: Scheme = {
  id: 'basic',
  preset: null,
  settings: [],
  needsSecrets: () => true,
  capturesSecret: false,
  proofOf: () => ({ kind: 'basic' }),
  faultsOf: () => [],
};

export const GENERIC_SCHEMES: readonly Scheme[] = [hmac, apiKey, basic, JWT_SCHEME];

function readHmac(settings: SettingValues): SignatureProof {
  const text = (name: string, fallback: string): string => (settings[name] as string | undefined) ?? fallback;
  const timestamp = settings['timestamp'] as string | undefined;
  const separator = settings['item_separator'] as string | undefined;
  return {
    kind: 'signature',
    algorithm: `hmac-${text('algorithm', 'sha256') as 'sha256'}`,
    header: text('header', '').toLowerCase(),
    prefix: text('prefix', ''),
    encoding: text('encoding', 'hex') as Encoding,
    key: text('key_encoding', 'utf8') as KeyEncoding,
    signed: text('signed', '{body}'),
    ...(separator === undefined ? {} : { list: { separator, assign: text('key_separator', '='), key: text('signature_key', 'v1') } }),
    ...(timestamp === undefined
      ? {}
      : {
          timestamp: { from: timeSource(timestamp), unit: text('timestamp_unit', 's') as TimestampSource['unit'] },
          toleranceSeconds: (settings['tolerance_seconds'] as number | undefined) ?? 300,
        }),
  };
}

function timeSource(text: string): TimestampSource['from'] {
  return text.startsWith('field:') ? (text as `field:${string}`) : headerPlace(text);
}

/** The place of the signed id, for `{id}`. */
export function idPlace({ id_header: header }: SettingValues): Place | null {
  return header === undefined ? null : headerPlace(String(header));
}

function headerPlace(name: string): `header:${string}` {
  return `header:${name.toLowerCase()}`;
}

function hmacFaults(settings: SettingValues): { setting: string; message: string }[] {
  const { header, signed = '{body}', timestamp, id_header: id, item_separator: separator } = settings as Record<string, string | undefined>;
  const needs = (term: string, name: string, value: string | undefined): { setting: string; message: string }[] =>
    signed.includes(`{${term}}`) && value === undefined ? [{ setting: name, message: `is missing: "signed" has {${term}}` }] : [];
  const isField = timestamp?.startsWith('field:') === true;
  const text = signedTextFault(signed);
  return [
    ...headerFaults('header', header),
    ...(text === null ? [] : [{ setting: 'signed', message: text }]),
    ...needs('timestamp', 'timestamp', timestamp),
    ...needs('id', 'id_header', id),
    ...(timestamp === undefined || isField ? [] : headerFaults('timestamp', timestamp)),
    ...(isField && separator === undefined
      ? [{ setting: 'item_separator', message: 'is missing: the time is an item of the header' }]
      : []),
    ...(timestamp !== undefined && !signed.includes('{timestamp}')
      ? [{ setting: 'timestamp', message: 'must be signed: "signed" has no {timestamp}' }]
      : []),
    ...(id === undefined ? [] : headerFaults('id_header', id)),
  ];
}
