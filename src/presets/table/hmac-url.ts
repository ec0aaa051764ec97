// Providers that sign the public URL with the body, so a sink must know its public URL.

import type { Preset } from '../preset.ts';

export const HMAC_URL: readonly Preset[] = [
  {
    id: 'square',
    name: 'Square',
    proof: {
      kind: 'signature',
      algorithm: 'hmac-sha256',
      header: 'x-square-hmacsha256-signature',
      encoding: 'base64',
      key: 'utf8',
      signed: '{url}{body}',
    },
    deliveryId: 'body:event_id',
    eventType: 'body:type',
    handshakes: [],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'primary',
    unconfirmed: [],
    sources: [
      'https://github.com/square/square-nodejs-sdk/blob/HEAD/src/wrapper/WebhooksHelper.ts',
      'https://www.skills.sh/hookdeck/webhook-skills/square-webhooks',
      'https://github.com/triggerdotdev/trigger.dev/blob/b082e44/packages/core/src/v3/webhooks/index.ts',
    ],
    notes: 'The signed URL is the one of the subscription. It must be exactly the public URL of the sink.',
  },
  {
    id: 'hubspot',
    name: 'HubSpot v3',
    proof: {
      kind: 'signature',
      algorithm: 'hmac-sha256',
      header: 'x-hubspot-signature-v3',
      encoding: 'base64',
      key: 'utf8',
      signed: '{method}{hubspot_url}{body}{timestamp}',
      timestamp: { from: 'header:x-hubspot-request-timestamp', unit: 'ms' },
      toleranceSeconds: 300,
    },
    deliveryId: null,
    eventType: 'body:0.subscriptionType',
    handshakes: [],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'primary',
    unconfirmed: [],
    sources: ['https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation'],
    notes:
      'The secret is the client secret of the app. Requests also bring signatures of versions 1 and 2, which are never accepted. One request brings a list of events, and none of its ids names the delivery.',
  },
  {
    id: 'trello',
    name: 'Trello',
    proof: {
      kind: 'signature',
      algorithm: 'hmac-sha1',
      header: 'x-trello-webhook',
      encoding: 'base64',
      key: 'utf8',
      signed: '{body}{url}',
    },
    deliveryId: 'body:action.id',
    eventType: 'body:action.type',
    handshakes: [{ kind: 'acknowledge', method: 'HEAD', when: {}, isSigned: false, answer: { status: 200 } }],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'secondary',
    unconfirmed: ['deliveryId', 'handshakes'],
    sources: ['https://github.com/triggerdotdev/trigger.dev/tree/b082e44/internal-packages/webhook-sources/catalog'],
    notes:
      'The secret is the OAuth secret of the app. Trello signs with SHA-1, and checks the URL with a HEAD request. The signed URL is the callback URL of the webhook.',
  },
];
