// Examines a form before it becomes a run: takes out the fields that are for the sink, decides where the visitor goes, and
// recognises spam.

import type { Clock } from '../../../clock.ts';
import { allowedPage } from '../../../core/sink/response/form-page.ts';
import type { FormResponse } from '../../../core/sink/response/form-setting.ts';
import type { Sink } from '../../../core/sink/sink.ts';
import { CAPTCHA_PROVIDERS, NEXT_FIELD, type SpamSetting, TOKEN_FIELD } from '../../../core/sink/spam-setting.ts';
import { AppError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { Sealer } from '../../../sealer.ts';
import type { TriggerInput } from '../trigger-input.ts';
import { checkCaptcha, type PostForm } from './captcha.ts';
import { takeFields } from './form-fields.ts';
import { FormTokens, TOKEN_LIFE_MS } from './form-token.ts';

export interface FormTools {
  sealer: Sealer;
  /** Server time. */
  clock: Clock;
  postForm: PostForm;
  logger: Logger;
}

export interface ExaminedForm {
  /** Without the fields that are for the sink. */
  input: TriggerInput;
  response: FormResponse;
  /** Why the form is spam; null for a visitor's. */
  spam: string | null;
}

export class FormGuard {
  readonly #tools: FormTools;
  readonly tokens: FormTokens;

  constructor(tools: FormTools) {
    this.#tools = tools;
    this.tokens = new FormTokens(tools.sealer, tools.clock);
  }

  /** For one request. */
  begin(sink: GuardedSink, response: FormResponse): FormExamination {
    return new FormExamination(this.#tools, this.tokens, sink, response);
  }
}

type GuardedSink = Pick<Sink, 'id' | 'spam'>;

/** Examines one form once: before its files are stored if it has some. */
export class FormExamination {
  readonly #tools: FormTools;
  readonly #tokens: FormTokens;
  readonly #sink: GuardedSink;
  readonly #response: FormResponse;
  #examined: ExaminedForm | null = null;

  constructor(tools: FormTools, tokens: FormTokens, sink: GuardedSink, response: FormResponse) {
    this.#tools = tools;
    this.#tokens = tokens;
    this.#sink = sink;
    this.#response = response;
  }

  /** Rejects as `finish` does. Resolves to false for spam. */
  async examine(received: TriggerInput): Promise<boolean> {
    this.#examined = await this.#read(received);
    return this.#examined.spam === null;
  }

  /** Rejects with `unprocessable`, `too_large`, or `unavailable` when the captcha cannot be verified. */
  async finish(received: TriggerInput): Promise<ExaminedForm> {
    return this.#examined ?? (await this.#read(received));
  }

  async #read(received: TriggerInput): Promise<ExaminedForm> {
    const { id, spam } = this.#sink;
    const { input, taken } = takeFields(received, spam === undefined ? [NEXT_FIELD] : ownFields(spam));
    const form = { input, response: withNextPage(this.#response, taken[NEXT_FIELD]) };
    if (spam === undefined) return { ...form, spam: null };
    const reason = trapReason(spam, taken, input) ?? this.#tokenReason(spam, taken[TOKEN_FIELD], id);
    if (reason !== null) return { ...form, spam: reason };
    if (spam.captcha !== null) await checkCaptcha(spam.captcha, taken[CAPTCHA_PROVIDERS[spam.captcha.provider].field], this.#tools);
    return { ...form, spam: null };
  }

  /** Throws `unprocessable` for a token that proves nothing. */
  #tokenReason({ token, minSeconds }: SpamSetting, given: unknown, sinkId: string): string | null {
    if (token === null) return null;
    const isMissing = given === undefined || given === '';
    if (isMissing && token === 'optional') return null;
    const tokenFault = (why: string): AppError => refuse(TOKEN_FIELD, `the form ${why}; load the page of the form again`);
    if (isMissing) throw tokenFault(`has no token in field "${TOKEN_FIELD}"`);
    const age = typeof given === 'string' ? this.#tokens.ageOf(given, sinkId) : null;
    if (age === null) throw tokenFault(`has a token in field "${TOKEN_FIELD}" that is not one of this form`);
    if (age > TOKEN_LIFE_MS) throw tokenFault(`has a token in field "${TOKEN_FIELD}" that is older than 24 hours`);
    return age < minSeconds * 1000 ? 'the form came sooner after its token than min_seconds' : null;
  }
}

function ownFields({ honeypot, token, captcha }: SpamSetting): string[] {
  return [
    NEXT_FIELD,
    ...(honeypot === null ? [] : [honeypot]),
    ...(token === null ? [] : [TOKEN_FIELD]),
    ...(captcha === null ? [] : [CAPTCHA_PROVIDERS[captcha.provider].field]),
  ];
}

function trapReason({ honeypot }: SpamSetting, taken: Readonly<Record<string, unknown>>, { head }: TriggerInput): string | null {
  if (honeypot === null) return null;
  const values = [taken[honeypot]].flat();
  const isFilled = values.some((value) => value !== undefined && value !== null && value !== '');
  return isFilled || head.files.some(({ name }) => name === honeypot) ? `the hidden field "${honeypot}" is filled` : null;
}

function withNextPage(response: FormResponse, next: unknown): FormResponse {
  if (next === undefined || next === '') return response;
  const { pages } = response;
  const success = typeof next === 'string' ? allowedPage(next, pages) : null;
  if (success !== null) return { ...response, success };
  const others = pages.length === 0 ? '' : `, or one of ${pages.join(', ')}`;
  throw refuse(NEXT_FIELD, `field "${NEXT_FIELD}" must be a path that starts with one "/"${others}`);
}

function refuse(part: string, message: string): AppError {
  return new AppError('unprocessable', message, { details: { part } });
}
