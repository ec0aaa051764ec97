// Providers that send a JSON Web Token in a header.

import type { Preset } from '../preset.ts';

export const JWT: readonly Preset[] = [
  {
    id: 'netlify',
    name: 'Netlify',
    proof: { kind: 'jwt', header: 'x-webhook-signature', algorithms: ['HS256'], claims: { iss: 'netlify', sha256: '{body-sha256-hex}' } },
    deliveryId: null,
    eventType: 'header:x-netlify-event',
    handshakes: [],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'operator',
    certainty: 'secondary',
    unconfirmed: ['eventType'],
    sources: [
      'https://github.com/simstudioai/sim/pull/4518',
      'https://github.com/triggerdotdev/trigger.dev/tree/b082e44/internal-packages/webhook-sources/catalog',
    ],
  },
  {
    id: 'google-pubsub',
    name: 'Google Pub/Sub push',
    proof: {
      kind: 'jwt',
      header: 'authorization',
      prefix: 'Bearer ',
      algorithms: ['RS256'],
      jwks: 'https://www.googleapis.com/oauth2/v3/certs',
      claims: {
        iss: ['https://accounts.google.com', 'accounts.google.com'],
        aud: '{audience|url}',
        email: '{service_account}',
        email_verified: true,
      },
    },
    deliveryId: 'body:message.messageId',
    eventType: null,
    handshakes: [],
    answer: { status: 204, withinSeconds: 10 },
    secretFrom: 'none',
    settings: [
      {
        name: 'audience',
        kind: 'text',
        isRequired: false,
        description: 'The audience of the push subscription; the public URL of the sink unless given.',
      },
      {
        name: 'service_account',
        kind: 'text',
        isRequired: true,
        description: 'The e-mail address of the service account of the push subscription.',
      },
    ],
    certainty: 'primary',
    unconfirmed: ['proof.jwks', 'answer.withinSeconds'],
    sources: ['https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions'],
    notes: 'The data of a wrapped message is base64 in message.data.',
  },
  {
    id: 'livekit',
    name: 'LiveKit',
    proof: { kind: 'jwt', header: 'authorization', algorithms: ['HS256'], claims: { sha256: '{body-sha256-base64}' } },
    deliveryId: null,
    eventType: 'body:event',
    handshakes: [],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'primary',
    unconfirmed: [],
    sources: ['https://github.com/livekit/protocol/blob/HEAD/webhook/verifier.go'],
    notes: 'The secret is the API secret of the key that signs webhooks. The content type of a request is application/webhook+json.',
  },
  {
    id: 'monday',
    name: 'monday.com',
    proof: { kind: 'jwt', header: 'authorization', algorithms: ['HS256'], claims: { aud: '{audience|url}' } },
    deliveryId: null,
    eventType: 'body:event.type',
    handshakes: [
      {
        kind: 'echo-body',
        when: { 'body:challenge': '*' },
        isSigned: false,
        answer: { status: 200, json: { challenge: '{body:challenge}' } },
      },
    ],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    settings: [
      {
        name: 'audience',
        kind: 'text',
        isRequired: false,
        description: 'The URL that monday.com names as the audience; the public URL of the sink unless given.',
      },
    ],
    certainty: 'primary',
    unconfirmed: ['proof.claims'],
    sources: [
      'https://developer.monday.com/apps/docs/authorization-header',
      'https://developer.monday.com/apps/docs/advanced-concepts',
      'https://developer.monday.com/api-reference/docs/webhooks',
      'https://developer.monday.com/api-reference/changelog/webhooks-improvements',
    ],
    notes:
      'The secret is the signing secret of the app; webhooks of the life cycle of an app are signed with its client secret. Webhooks that are made with a personal token bring no Authorization header and are refused.',
  },
];
