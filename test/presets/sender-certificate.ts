// Certificates of senders that sign with RSA, at their URLs.

import { type CertificateOptions, selfSigned } from '../delivery/certificate.ts';

/** Made once: an RSA key takes time. */
export const SIGNER = selfSigned(['sender.example'], { rsaBits: 2048 });
export const EXPIRED = selfSigned(['sender.example'], { rsaBits: 2048, to: '230101' });
export const NOT_YET = selfSigned(['sender.example'], { rsaBits: 2048, from: '400101' });
export const CURVE = selfSigned(['sender.example']);
export const SHORT = selfSigned(['sender.example'], { rsaBits: 1024 } satisfies CertificateOptions);

/** Answers each URL with its text, and counts. */
export function publish(documents: Readonly<Record<string, string | Error>>) {
  const fetched: string[] = [];
  return {
    fetched,
    async fetchText(url: string): Promise<string> {
      fetched.push(url);
      const found = documents[url] ?? new Error('the answer is 404');
      if (found instanceof Error) throw found;
      return found;
    },
  };
}
