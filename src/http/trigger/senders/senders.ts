// Sinks whose senders prove themselves by a scheme (presets/): opens their secrets once, and begins the check of each request.

import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../clock.ts';
import type { SchemeAuth } from '../../../core/sink/auth/scheme-auth.ts';
import type { Sink } from '../../../core/sink/sink.ts';
import { memoizeByIdentity } from '../../../core/values/memoize.ts';
import type { DefinitionService } from '../../../definitions/definition-service.ts';
import type { AppError } from '../../../errors.ts';
import type { FetchText } from '../../../presets/remote/fetch-text.ts';
import { createSenderKeys } from '../../../presets/remote/sender-keys.ts';
import type { Sealer } from '../../../sealer.ts';
import type { FailedCredentials } from '../../failed-credentials.ts';
import { readQuery, type TriggerTarget } from '../trigger-input.ts';
import type { CredentialUses } from './credential-uses.ts';
import { type OpenedScheme, openScheme } from './open-scheme.ts';
import { SenderCheck } from './sender-check.ts';

export interface SenderOptions {
  sealer: Sealer;
  wallClock: Clock;
  baseUrl: () => string;
  uses: CredentialUses;
  failures: FailedCredentials;
  definitions: Pick<DefinitionService, 'captureSecret'>;
  fetchText: FetchText;
}

export class Senders {
  readonly #options: SenderOptions;
  /** A sink that changes is another object. */
  readonly #open: (auth: SchemeAuth) => OpenedScheme;

  constructor(options: SenderOptions) {
    this.#options = options;
    const keys = createSenderKeys(options.fetchText);
    this.#open = memoizeByIdentity((auth: SchemeAuth) => openScheme(auth, options.sealer, keys));
  }

  /** Throws `unauthorized` or `rate_limited` when the head alone shows that the request is not the sender's, and no handshake. */
  begin(request: FastifyRequest, target: TriggerTarget, auth: SchemeAuth): SenderCheck {
    const { wallClock, baseUrl, uses, failures, definitions, fetchText } = this.#options;
    const { sink, query, clientIp } = target;
    const opened = this.#open(auth);
    const { method, url, headers } = request.raw;
    const publicUrl = sink.publicUrl === null ? `${baseUrl()}${url}` : `${sink.publicUrl}${query === '' ? '' : `?${query}`}`;
    const head = { method: method as string, url: publicUrl, headers, query: query === '' ? {} : readQuery(query) };
    const recordUse = (secret: number): void => {
      const stored = auth.secrets[secret];
      if (stored !== undefined) uses.record(sink.id, stored.sealed);
    };
    const refuse = (reason: string): AppError => failures.refuse(clientIp, reason, `Webhook realm="sluice", scheme="${auth.scheme}"`);
    const capture = (secret: string): Promise<void> => definitions.captureSecret(sink.id, secret);
    return new SenderCheck({ opened, head, sinkMethods: methodsOf(sink), now: wallClock(), recordUse, capture, refuse, fetchText });
  }
}

function methodsOf({ method }: Sink): string[] {
  return method === 'ANY' ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : [method];
}
