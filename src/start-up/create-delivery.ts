// Creates the sender of deliveries, with the secrets that it inserts and hides.

import type { Config, Environment } from '../config/config.ts';
import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import { createAddressPolicy } from '../delivery/address-policy.ts';
import { createSecretVault, redactResult, type SecretVault } from '../delivery/secret-vault.ts';
import type { Send } from '../delivery/sender.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { Cleanups } from './cleanups.ts';
import type { LoadedModules } from './open-storage.ts';

export interface DeliveryOptions {
  config: Pick<Config, 'secretsAllow' | 'outboundAllow'>;
  environment: Environment;
  secretKey: string;
  blobs: BlobStore;
  version: string;
  /** Replaces the network. */
  send: Send | undefined;
}

export interface Delivery {
  secrets: SecretVault;
  send: Send;
}

export function createDelivery(
  createSender: LoadedModules['createSender'],
  { config, environment, secretKey, blobs, version, send }: DeliveryOptions,
  cleanups: Cleanups,
): Delivery {
  const secrets = createSecretVault({ environment, allowed: config.secretsAllow, key: secretKey });
  const policy = createAddressPolicy(config.outboundAllow);
  const sender = createSender({ policy, openBlob: blobs.read, userAgent: `sluice/${version}` });
  cleanups.add(() => sender.close());
  return { secrets, send: withSecrets(send ?? sender.send, secrets) };
}

/** Inserts secrets just before a message is sent, and hides them in its result. */
function withSecrets(send: Send, vault: SecretVault): Send {
  return async (message, options) => {
    const runId = parseDeliveryId(options.deliveryId)?.runId ?? '';
    const { message: revealed, hide } = vault.reveal(runId, message);
    return redactResult(await send(revealed, options), hide);
  };
}
