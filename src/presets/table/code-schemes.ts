// Providers with a scheme of their own, each in a file of schemes/.

import type { Preset } from '../preset.ts';

export const CODE_SCHEMES: readonly Preset[] = [
  {
    id: 'twilio',
    name: 'Twilio',
    proof: { kind: 'code', scheme: 'twilio' },
    deliveryId: 'header:i-twilio-idempotency-token',
    eventType: 'body:CallStatus',
    handshakes: [],
    answer: { status: 200, withinSeconds: 15 },
    secretFrom: 'provider',
    certainty: 'primary',
    unconfirmed: ['deliveryId', 'answer.withinSeconds'],
    sources: [
      'https://www.twilio.com/docs/usage/webhooks/webhooks-security',
      'https://github.com/twilio/twilio-node/blob/HEAD/src/webhooks/webhooks.ts',
    ],
    notes:
      'The secret is the primary auth token. Twilio signs the public URL with the fields of a form; for JSON it signs the URL, which has a hash of the body in "bodySHA256".',
  },
  {
    id: 'mandrill',
    name: 'Mailchimp Transactional (Mandrill)',
    proof: { kind: 'code', scheme: 'mandrill' },
    deliveryId: null,
    eventType: null,
    handshakes: [{ kind: 'acknowledge', method: 'HEAD', when: {}, isSigned: false, answer: { status: 200 } }],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'secondary',
    unconfirmed: ['handshakes'],
    sources: ['https://github.com/triggerdotdev/trigger.dev/tree/b082e44/internal-packages/webhook-sources/catalog'],
    notes:
      'The secret is the key of the webhook. The signed URL is the one of the webhook. Events are JSON in the field "mandrill_events" of a form: set body: { form_field: mandrill_events }.',
  },
  {
    id: 'mailgun',
    name: 'Mailgun',
    proof: { kind: 'code', scheme: 'mailgun' },
    deliveryId: 'body:signature.token',
    eventType: 'body:event-data.event',
    handshakes: [],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'secondary',
    unconfirmed: ['deliveryId'],
    sources: [
      'https://gist.github.com/douglasmiranda/3d840007f4a1acb064ff2ecf0d62ae32',
      'https://www.skills.sh/hookdeck/webhook-skills/mailgun-webhooks',
    ],
    notes:
      'The secret is the HTTP webhook signing key. Mailgun signs a time and a token, and not the event, so a token is accepted with one body only.',
  },
  {
    id: 'adyen',
    name: 'Adyen',
    proof: { kind: 'code', scheme: 'adyen' },
    deliveryId: null,
    eventType: 'body:notificationItems.0.NotificationRequestItem.eventCode',
    handshakes: [],
    answer: { status: 200, text: '[accepted]', withinSeconds: null },
    secretFrom: 'provider',
    certainty: 'secondary',
    unconfirmed: ['proof', 'answer.text'],
    sources: ['https://github.com/triggerdotdev/trigger.dev/tree/b082e44/internal-packages/webhook-sources/catalog'],
    notes:
      'The secret is the HMAC key of the webhook: hexadecimal digits. Adyen signs some fields of the notification; the others may be altered on the way. Its pspReference names a payment and not a delivery.',
  },
  {
    id: 'aws-sns',
    name: 'Amazon SNS',
    proof: { kind: 'code', scheme: 'aws-sns' },
    deliveryId: 'body:MessageId',
    eventType: 'body:Type',
    body: 'json',
    handshakes: [
      {
        kind: 'fetch-url',
        when: { 'body:Type': 'SubscriptionConfirmation' },
        isSigned: true,
        fetch: 'body:SubscribeURL',
        answer: { status: 200 },
      },
      { kind: 'acknowledge', when: { 'body:Type': 'UnsubscribeConfirmation' }, isSigned: true, answer: { status: 200 } },
    ],
    answer: { status: 200, withinSeconds: 15 },
    secretFrom: 'none',
    settings: [{ name: 'topic_arns', kind: 'list', isRequired: true, description: 'The ARNs of the topics that may send to this sink.' }],
    certainty: 'primary',
    unconfirmed: ['answer.withinSeconds'],
    sources: [
      'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html',
      'https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html',
    ],
    notes:
      'Sluice fetches the certificate and confirms the subscription over HTTPS, so it must be allowed to reach Amazon. Raw message delivery must be off: raw messages are not signed. Amazon calls its JSON text/plain, and it is read as JSON.',
  },
  {
    id: 'paypal',
    name: 'PayPal',
    proof: { kind: 'code', scheme: 'paypal' },
    deliveryId: 'header:paypal-transmission-id',
    eventType: 'body:event_type',
    handshakes: [],
    answer: { status: 200, withinSeconds: null },
    secretFrom: 'none',
    settings: [{ name: 'webhook_id', kind: 'text', isRequired: true, description: 'The id that PayPal gave the webhook.' }],
    certainty: 'primary',
    unconfirmed: ['proof', 'deliveryId'],
    sources: [
      'https://developer.paypal.com/api/rest/webhooks/rest.md',
      'https://developer.paypal.com/api/webhooks/v1/definitions/verify_webhook_signature',
    ],
    notes:
      'Sluice fetches the certificate over HTTPS, so it must be allowed to reach PayPal. PayPal signs a checksum of the body, which another body can share, so a transmission is accepted with one body only. Events of PayPal’s simulator are not signed for a webhook and are refused.',
  },
];
