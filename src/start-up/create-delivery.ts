// Creates the outbound connections: the sender of deliveries, with the secrets that it inserts and hides, and the fetcher of keys.

import type { Config, Environment } from '../config/config.ts';
import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import { createAddressPolicy } from '../delivery/address-policy.ts';
import type { FetchDocument, PostForm } from '../delivery/http/fetch-document.ts';
import { createSecretVault, redactResult, type SecretVault } from '../delivery/secret-vault.ts';
import type { Send } from '../delivery/sender.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { Cleanups } from './cleanups.ts';
import type { LoadedModules } from './open-storage.ts';
import { createReplyUrl } from './reply-urls.ts';

export interface DeliveryOptions {
  config: Pick<Config, 'secretsAllow' | 'outboundAllow' | 'baseUrl' | 'host' | 'port'>;
  environment: Environment;
  secretKey: string;
  sealReply: (text: string) => string;
  blobs: BlobStore;
  version: string;
  /** Replaces the network. */
  send: Send | undefined;
  /** Replaces the network for the keys of webhook senders. */
  fetchText: FetchDocument | undefined;
}

export interface Delivery {
  secrets: SecretVault;
  send: Send;
  /** Fetches what webhook senders publish. */
  fetchText: FetchDocument;
  /** Asks captcha providers. */
  postForm: PostForm;
}

export function createDelivery(
  { createSender, DocumentFetcher }: Pick<LoadedModules, 'createSender' | 'DocumentFetcher'>,
  { config, environment, secretKey, sealReply, blobs, version, send, fetchText }: DeliveryOptions,
  cleanups: Cleanups,
): Delivery {
  const secrets = createSecretVault({
    environment,
    allowed: config.secretsAllow,
    key: secretKey,
    replyUrl: createReplyUrl(config, sealReply),
  });
  const policy = createAddressPolicy(config.outboundAllow);
  const userAgent = `sluice/${version}`;
  const sender = createSender({ policy, openBlob: blobs.read, userAgent });
  cleanups.add(() => sender.close());
  const fetcher = new DocumentFetcher({ policy, userAgent });
  cleanups.add(() => fetcher.close());
  return { secrets, send: withSecrets(send ?? sender.send, secrets), fetchText: fetchText ?? fetcher.fetch, postForm: fetcher.postForm };
}

/** Inserts secrets just before a message is sent, and hides them in its result. */
function withSecrets(send: Send, vault: SecretVault): Send {
  return async (message, options) => {
    const runId = parseDeliveryId(options.deliveryId)?.runId ?? '';
    const { message: revealed, hide } = vault.reveal(runId, message);
    return redactResult(await send(revealed, options), hide);
  };
}
