// PayPal: an RSA signature over id and time of the transmission, the id of the webhook and the CRC-32 of the body, by a certificate
// that PayPal publishes. Anyone can write another body with the same CRC-32, so a transmission is good for one body.

import { createVerify } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { headerAt } from '../place.ts';
import { decodeStrictly } from '../proofs/keys.ts';
import { type ProofHead, type Refusal, refusal, type Verdict, type Verifier } from '../proofs/proof.ts';
import { timestampFault } from '../proofs/timestamps.ts';
import { type Certificate, certificateFault } from '../remote/certificate.ts';
import type { DocumentCache } from '../remote/document-cache.ts';
import { isPinned, type Pin } from '../remote/pinned-url.ts';

const CERTIFICATE: Pin = {
  host: /^api(?:-m)?(?:\.sandbox)?\.paypal\.com$/,
  path: /^\/v1\/notifications\/certs\/[\w-]+$/,
  allowsQuery: false,
};

export function paypalVerifier(webhookId: string, certificates: DocumentCache<Certificate>): Verifier {
  return {
    begin(head, now) {
      const transmission = readTransmission(head, now);
      if ('isProven' in transmission) return transmission;
      let sum = 0;
      return {
        update(chunk) {
          sum = crc32(chunk, sum);
        },
        async finish() {
          const certificate = await certificates.get(transmission.certificateUrl, now);
          return check(transmission, `${webhookId}|${sum}`, certificate, now);
        },
      };
    },
  };
}

interface Transmission {
  id: string;
  time: string;
  signature: Buffer;
  certificateUrl: string;
}

/** A separator would let the end of the id pass for the beginning of the time. */
const ID = /^[\w-]{1,64}$/;
/** PayPal retries for three days. */
const TOLERANCE_SECONDS = 4 * 86_400;

function readTransmission(head: ProofHead, now: number): Transmission | Refusal {
  const header = (name: string): string => headerAt(`paypal-${name}`, head) ?? '';
  const [id, time, certificateUrl] = [header('transmission-id'), header('transmission-time'), header('cert-url')];
  if (!ID.test(id))
    return refusal('signature_missing', 'the request has no signature: header paypal-transmission-id is missing or malformed');
  const fault = timestampFault(time === '' ? null : time, 'rfc3339', TOLERANCE_SECONDS, now);
  if (fault !== null) return refusal(fault.kind, `the signature in paypal-transmission-sig is refused: ${fault.why}`);
  if (header('auth-algo').toLowerCase() !== 'sha256withrsa')
    return refusal('signature_malformed', 'header paypal-auth-algo is not SHA256withRSA');
  if (!isPinned(certificateUrl, CERTIFICATE))
    return refusal('signature_malformed', 'the request is refused: paypal-cert-url is no address of certificates of PayPal');
  try {
    return { id, time, certificateUrl, signature: decodeStrictly(header('transmission-sig'), 'base64') };
  } catch {
    return refusal('signature_malformed', 'the signature in paypal-transmission-sig is not base64');
  }
}

function check({ id, time, signature }: Transmission, rest: string, certificate: Certificate, now: number): Verdict {
  const fault = certificateFault(certificate, now);
  if (fault !== null) return refusal('signature_stale', `the signature in paypal-transmission-sig is refused: ${fault}`);
  if (!createVerify('sha256').update(`${id}|${time}|${rest}`).verify(certificate.key, signature))
    return refusal('signature_mismatch', 'the signature in paypal-transmission-sig does not match the request and webhook_id');
  return { isProven: true, secret: 0, signed: { name: id, coversBody: false, goodForMs: 2 * TOLERANCE_SECONDS * 1000 } };
}
