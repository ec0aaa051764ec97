// The certificate of a provider that signs with RSA, as it publishes it. It is trusted because of its address, which must be
// the provider's own and is fetched over TLS; its issuer is not checked.

import { type KeyObject, X509Certificate } from 'node:crypto';

export interface Certificate {
  key: KeyObject;
  /** Wall time in ms. */
  validFrom: number;
  validTo: number;
}

const MIN_MODULUS_BITS = 2048;

/** Of several certificates, reads the first. Throws an Error that names the fault. */
export function readCertificate(pem: string): Certificate {
  const { publicKey: key, validFrom, validTo } = parse(pem);
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < MIN_MODULUS_BITS)
    throw new Error(`the certificate has no RSA key of at least ${MIN_MODULUS_BITS} bits`);
  return { key, validFrom: Date.parse(validFrom), validTo: Date.parse(validTo) };
}

function parse(pem: string): X509Certificate {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('the answer is no certificate in PEM');
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error('the certificate cannot be read');
  }
}

/** Returns why the certificate proves nothing now, or null. */
export function certificateFault({ validFrom, validTo }: Certificate, now: number): string | null {
  if (!(validFrom <= now)) return 'its certificate is not valid yet';
  return now <= validTo ? null : 'its certificate has expired';
}
