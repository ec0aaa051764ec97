// The URLs of replies: the server's public address, and a sealed token, so that nobody can guess or read it.

import type { Config } from '../config/config.ts';
import { REPLY_PATH, replyTokenText } from '../core/reply/reply.ts';
import type { ReplyUrl } from '../delivery/secret-vault.ts';

type Address = Pick<Config, 'baseUrl' | 'host' | 'port'>;

const LOOPBACK: Readonly<Record<string, string>> = { '127.0.0.1': '127.0.0.1', localhost: 'localhost', '::1': '[::1]' };

/** Null: nobody else can know how to reach the server. On loopback only this machine can, and its address is known. */
export function publicAddress({ baseUrl, host, port }: Address): string | null {
  const loopback = LOOPBACK[host];
  return baseUrl ?? (loopback === undefined || port === 0 ? null : `http://${loopback}:${port}`);
}

export function createReplyUrl(address: Address, seal: (text: string) => string): ReplyUrl | null {
  const base = publicAddress(address);
  return base === null ? null : (runId, reference) => `${base}${REPLY_PATH}${seal(replyTokenText(runId, reference))}`;
}
