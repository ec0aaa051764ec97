// Creates the verifier of a sink, from its scheme and its secrets.

import { idPlace } from '../generic.ts';
import type { CodeProof } from '../preset.ts';
import type { SenderKeys } from '../remote/sender-keys.ts';
import type { Scheme, SettingValues } from '../scheme.ts';
import { adyenVerifier } from '../schemes/adyen.ts';
import { snsVerifier } from '../schemes/aws-sns.ts';
import { mailgunVerifier } from '../schemes/mailgun.ts';
import { mandrillVerifier } from '../schemes/mandrill.ts';
import { paypalVerifier } from '../schemes/paypal.ts';
import { twilioVerifier } from '../schemes/twilio.ts';
import { basicVerifier } from './basic-proof.ts';
import { equalVerifier } from './equal-proof.ts';
import { jwtVerifier } from './jwt-proof.ts';
import type { Secret, Verifier } from './proof.ts';
import { signatureVerifier } from './signature-proof.ts';

/** Settings are in clear. `keys`: of senders that publish theirs. Throws an Error for a secret that is no key. */
export function createVerifier(scheme: Scheme, secrets: readonly Secret[], settings: SettingValues, keys: SenderKeys): Verifier {
  const proof = scheme.proofOf(settings);
  switch (proof.kind) {
    case 'signature':
      return signatureVerifier({ ...proof, deliveryId: scheme.preset?.deliveryId ?? idPlace(settings) }, secrets);
    case 'equal':
      return equalVerifier(proof, secrets);
    case 'basic':
      return basicVerifier(secrets);
    case 'jwt':
      return jwtVerifier(proof, secrets, settings, keys.keySets);
    case 'code':
      return CODE[proof.scheme](secrets, settings, keys);
  }
}

const CODE: Readonly<Record<CodeProof['scheme'], (secrets: readonly Secret[], settings: SettingValues, keys: SenderKeys) => Verifier>> = {
  twilio: twilioVerifier,
  mandrill: mandrillVerifier,
  mailgun: mailgunVerifier,
  adyen: adyenVerifier,
  'aws-sns': (_secrets, settings, { certificates }) => snsVerifier(settings['topic_arns'] as string[], certificates),
  paypal: (_secrets, settings, { certificates }) => paypalVerifier(settings['webhook_id'] as string, certificates),
};
