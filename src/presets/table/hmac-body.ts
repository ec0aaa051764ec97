// Providers that sign the raw body with a shared secret, and no time.

import type { Preset } from '../preset.ts';

export const HMAC_BODY: readonly Preset[] = [
  {
    id: 'github',
    name: 'GitHub',
    proof: {
      kind: 'signature',
      algorithm: 'hmac-sha256',
      header: 'x-hub-signature-256',
      prefix: 'sha256=',
      encoding: 'hex',
      key: 'utf8',
      signed: '{body}',
    },
    deliveryId: 'header:x-github-delivery',
    eventType: 'header:x-github-event',
    handshakes: [{ kind: 'acknowledge', when: { 'header:x-github-event': 'ping' }, isSigned: true, answer: { status: 200 } }],
    answer: { status: 200, withinSeconds: 10 },
    secretFrom: 'operator',
    certainty: 'primary',
    unconfirmed: [],
    sources: ['https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries'],
    notes:
      'GitHub signs no time, so a repeated body is taken for the same delivery. A hook of content type form has its JSON in the field "payload": set body: { form_field: payload }.',
  },
];
