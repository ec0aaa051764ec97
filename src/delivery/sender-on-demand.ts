// The sender as the server has it: what it takes to send is loaded with the first message, because it would make a fifth
// of the server's start.

import type { AddressRange } from '../address-range.ts';
import type { HttpSenderOptions } from './http/send-http.ts';
import type { Sender } from './sender.ts';

export interface SenderOnDemandOptions extends Pick<HttpSenderOptions, 'openBlob' | 'userAgent'> {
  /** What may be sent to although they are not public. */
  allowed: readonly AddressRange[];
}

export function createSenderOnDemand({ allowed, openBlob, userAgent }: SenderOnDemandOptions): Sender {
  let loading: Promise<Sender> | undefined;

  async function load(): Promise<Sender> {
    const [{ createSender }, { createAddressPolicy }] = await Promise.all([import('./create-sender.ts'), import('./address-policy.ts')]);
    return createSender({ policy: createAddressPolicy(allowed), openBlob, userAgent });
  }

  return {
    async send(message, options) {
      loading ??= load();
      return (await loading).send(message, options);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}
