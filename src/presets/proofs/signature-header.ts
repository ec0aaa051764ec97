// Reads the header that carries a signature: alone, after a prefix, or as items of a list, which may also carry the time.

import type { SignatureProof } from '../preset.ts';

export interface SignatureHeader {
  /** More than one while a provider changes its secret. */
  signatures: readonly string[];
  /** Of the second scheme. */
  asymmetric: readonly string[];
  /** First value of each key; `first` is the first item. */
  fields: ReadonlyMap<string, string>;
}

type Form = Pick<SignatureProof, 'prefix' | 'list' | 'asymmetric' | 'timestamp'>;

const NO_SIGNATURES: readonly string[] = [];
const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** Returns null when the header has no signature of the scheme. */
export function readSignatureHeader(text: string, { prefix = '', list, asymmetric, timestamp }: Form): SignatureHeader | null {
  if (list === undefined) {
    const signature = text.startsWith(prefix) ? text.slice(prefix.length) : '';
    return signature === '' ? null : { signatures: [signature], asymmetric: NO_SIGNATURES, fields: NO_FIELDS };
  }
  const items = text.split(list.separator).map((item) => item.trim());
  const fields = new Map<string, string>();
  if (timestamp?.from === 'first') fields.set('first', items.shift() ?? '');
  if (list.assign === undefined) return withSignatures({ signatures: items.filter((item) => item !== ''), asymmetric: [], fields });
  const found = { signatures: [] as string[], asymmetric: [] as string[], fields };
  for (const item of items) {
    const end = item.indexOf(list.assign);
    if (end === -1) continue;
    const [key, value] = [item.slice(0, end), item.slice(end + list.assign.length)];
    if (key === list.key) found.signatures.push(value);
    else if (key === asymmetric?.key) found.asymmetric.push(value);
    else if (!fields.has(key)) fields.set(key, value);
  }
  return withSignatures(found);
}

/** A provider sends one for each of its secrets. */
const MAX_SIGNATURES = 16;

function withSignatures({ signatures, asymmetric, fields }: SignatureHeader): SignatureHeader | null {
  if (signatures.length + asymmetric.length === 0) return null;
  return { signatures: signatures.slice(0, MAX_SIGNATURES), asymmetric: asymmetric.slice(0, MAX_SIGNATURES), fields };
}
