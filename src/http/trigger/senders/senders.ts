// Sinks whose senders prove themselves by a scheme (presets/): opens their secrets once, and begins the check of each request.

import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../clock.ts';
import type { SchemeAuth } from '../../../core/sink/auth/scheme-auth.ts';
import { memoizeByIdentity } from '../../../core/values/memoize.ts';
import { createSenderKeys } from '../../../presets/remote/sender-keys.ts';
import type { Sealer } from '../../../sealer.ts';
import { readQuery } from '../trigger-input.ts';
import type { TriggerTarget } from '../trigger-target.ts';
import { type OpenedScheme, openScheme } from './open-scheme.ts';
import { SenderCheck, type SenderTools } from './sender-check.ts';

export interface SenderOptions extends SenderTools {
  sealer: Sealer;
  wallClock: Clock;
  baseUrl: () => string;
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
  begin({ raw }: FastifyRequest, target: TriggerTarget, auth: SchemeAuth): SenderCheck {
    const { wallClock, baseUrl } = this.#options;
    const { sink, query } = target;
    const { method, url, headers } = raw;
    const publicUrl = sink.publicUrl === null ? `${baseUrl()}${url}` : `${sink.publicUrl}${query === '' ? '' : `?${query}`}`;
    const head = { method: method as string, url: publicUrl, headers, query: query === '' ? NO_QUERY : readQuery(query) };
    return new SenderCheck(this.#options, { target, auth, opened: this.#open(auth), head }, wallClock());
  }
}

const NO_QUERY = {};
