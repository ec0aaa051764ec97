// Signed tokens that show when the page of a form was loaded. They are not stored, so a token may be used again until it ends.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../clock.ts';
import type { Sealer } from '../../../sealer.ts';

export const TOKEN_LIFE_MS = 24 * 3_600_000;

export class FormTokens {
  readonly #key: Buffer;
  readonly #clock: Clock;

  /** `clock` is server time. */
  constructor(sealer: Pick<Sealer, 'deriveKey'>, clock: Clock) {
    this.#key = sealer.deriveKey('form token');
    this.#clock = clock;
  }

  issue(sinkId: string): string {
    const time = this.#clock().toString(36);
    return `${time}.${this.#sign(sinkId, time).toString('base64url')}`;
  }

  /** In ms; null for a token that was not issued for the sink, and for one from the future. */
  ageOf(token: string, sinkId: string): number | null {
    const [, time = '', signature = ''] = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
    if (time === '' || !timingSafeEqual(Buffer.from(signature, 'base64url'), this.#sign(sinkId, time))) return null;
    const age = this.#clock() - Number.parseInt(time, 36);
    return age < 0 ? null : age;
  }

  #sign(sinkId: string, time: string): Buffer {
    return createHmac('sha256', this.#key).update(`${sinkId} ${time}`).digest();
  }
}
