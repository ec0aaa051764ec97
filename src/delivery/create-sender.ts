// Makes the sender, which covers all transports. It does not decide on retries.

import { createDial, type DialOptions } from './guarded-connector.ts';
import { HttpSender, type HttpSenderOptions } from './http/send-http.ts';
import type { Sender } from './sender.ts';

export type SenderOptions = DialOptions & Omit<HttpSenderOptions, 'dial'>;

export function createSender(options: SenderOptions): Sender {
  const dial = createDial(options);
  const http = new HttpSender({ ...options, dial });
  return {
    async send(message, sendOptions) {
      if (message.transport === 'http') return await http.send(message, sendOptions);
      const { createMailSender } = await import('./mail/send-mail.ts');
      return await createMailSender({ ...options, dial }).send(message, sendOptions);
    },
    close: () => http.close(),
  };
}
