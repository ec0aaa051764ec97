// The keys that providers publish, shared by all sinks.

import { type Certificate, readCertificate } from './certificate.ts';
import { DocumentCache } from './document-cache.ts';
import type { FetchText } from './fetch-text.ts';
import { type KeySet, readKeySet } from './key-set.ts';

export interface SenderKeys {
  certificates: DocumentCache<Certificate>;
  keySets: DocumentCache<KeySet>;
}

/** A certificate stays the same at its URL; a key that was withdrawn must leave its set. */
const KEEP_CERTIFICATE_MS = 24 * 3_600_000;
const KEEP_KEY_SET_MS = 3_600_000;

export function createSenderKeys(fetchText: FetchText): SenderKeys {
  return {
    certificates: new DocumentCache({ fetchText, read: readCertificate, keepMs: KEEP_CERTIFICATE_MS }),
    keySets: new DocumentCache({ fetchText, read: readKeySet, keepMs: KEEP_KEY_SET_MS }),
  };
}
