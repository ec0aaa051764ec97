// A real SMTP server on 127.0.0.1 that keeps what it takes, and can be told to refuse.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestEnd } from '../support/cleanup.ts';

export interface TakenMail {
  from: string;
  to: string[];
  isEncrypted: boolean;
  user: string | undefined;
  /** As it came, headers and all. */
  content: string;
}

export interface MailServer {
  port: number;
  mails: TakenMail[];
  connections(): number;
}

/** Refuses a recipient, a user or a mail with the code that its name begins with, as `450-busy@…`. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: TakenMail[] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.key === undefined ? ['STARTTLS'] : [],
    disableReverseLookup: true,
    onConnect: (_, done) => {
      connections++;
      done();
    },
    onAuth: ({ username, password }, _, done) => done(password === 'right' ? null : answer(535, 'wrong credentials'), { user: username }),
    onRcptTo: ({ address }, _, done) => done(refusalIn(address)),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const content = Buffer.concat(chunks).toString();
        const refusal = refusalIn(/^Subject: (.*)$/m.exec(content)?.[1] ?? '');
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        if (refusal === null)
          mails.push({ from, to: rcptTo.map(({ address }) => address), isEncrypted: session.secure, user: session.user, content });
        done(refusal);
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestEnd(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails, connections: () => connections };
}

function refusalIn(text: string): Error | null {
  const code = /^([45]\d\d)-/.exec(text)?.[1];
  return code === undefined ? null : answer(Number(code), 'not now, not here');
}

function answer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
