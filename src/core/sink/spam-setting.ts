// The spam guards of a form sink: a field that only robots fill, a token that shows the age of the page, and a captcha.

import { parseUrl } from '../../parse-url.ts';
import type { Fault } from '../fault.ts';
import type { JsonSchema } from '../schema.ts';

/** Per provider: where the answer to the captcha comes, and where it is verified. */
export const CAPTCHA_PROVIDERS = {
  turnstile: { field: 'cf-turnstile-response', verifyUrl: 'https://challenges.cloudflare.com/turnstile/v0/siteverify' },
  hcaptcha: { field: 'h-captcha-response', verifyUrl: 'https://api.hcaptcha.com/siteverify' },
  recaptcha: { field: 'g-recaptcha-response', verifyUrl: 'https://www.google.com/recaptcha/api/siteverify' },
} as const;

export type CaptchaProvider = keyof typeof CAPTCHA_PROVIDERS;

/** The field of the token, and the field by which a form names its own success page. */
export const TOKEN_FIELD = '_form_token';
export const NEXT_FIELD = '_next';

interface Captcha<Secret> {
  provider: CaptchaProvider;
  secret: Secret;
  /** From 0 (a robot) to 1; null: the provider's verdict alone counts. */
  minScore: number | null;
  /** In place of the provider's own URL; null for that. */
  verifyUrl: string | null;
}

interface Spam<Secret> {
  honeypot: string | null;
  minSeconds: number;
  /** Whether a form without a token is refused. Null: no token is read. */
  token: 'required' | 'optional' | null;
  captcha: Captcha<Secret> | null;
}

export type SealedCaptcha = Captcha<{ sealed: string }>;
/** The secret is sealed. */
export type SpamSetting = Spam<{ sealed: string }>;
/** The secret is in clear, or as an export wrote it. */
export type SpamDefinition = Spam<string | { sealed: string }>;

export interface SpamDocument {
  honeypot?: string;
  min_seconds?: number;
  token?: 'required';
  captcha?: { provider: CaptchaProvider; secret: string | { sealed: string }; min_score?: number; verify_url?: string };
}

const secret: JsonSchema = { type: 'string', minLength: 1, maxLength: 8192 };

export const spamSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  description: 'guards of a form: "honeypot", "min_seconds", "token" and "captcha"',
  properties: {
    honeypot: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'must be a field name of letters, digits, "_" and "-"' },
    min_seconds: { type: 'number', exclusiveMinimum: 0, maximum: 3600 },
    token: { const: 'required' },
    captcha: {
      type: 'object',
      required: ['provider', 'secret'],
      additionalProperties: false,
      properties: {
        provider: { type: 'string', enum: Object.keys(CAPTCHA_PROVIDERS) },
        secret: {
          if: { type: 'string' },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: secret,
          else: { type: 'object', required: ['sealed'], additionalProperties: false, properties: { sealed: secret } },
        },
        min_score: { type: 'number', minimum: 0, maximum: 1 },
        verify_url: { type: 'string', pattern: '^https?://[\\x21-\\x7e]{1,2000}$', description: 'must be an http(s) URL' },
      },
    },
  },
};

/** Checks beyond the schema. */
export function spamFaults({ honeypot, captcha }: SpamDocument): Fault[] {
  const faults: Fault[] = [];
  if (honeypot === TOKEN_FIELD || honeypot === NEXT_FIELD)
    faults.push({ path: 'spam.honeypot', message: `cannot be "${honeypot}", which is a field of the sink itself` });
  if (captcha?.verify_url !== undefined && !isPlainUrl(captcha.verify_url))
    faults.push({ path: 'spam.captcha.verify_url', message: 'must be an http(s) URL without user and fragment' });
  if (captcha?.min_score !== undefined && captcha.provider === 'turnstile')
    faults.push({ path: 'spam.captcha.min_score', message: 'does not belong to turnstile, which gives no score' });
  return faults;
}

function isPlainUrl(text: string): boolean {
  if (parseUrl(text) === null) return false;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '';
}

/** Reads a setting without faults. */
export function readSpamSetting({ honeypot, min_seconds: minSeconds, token, captcha }: SpamDocument): SpamDefinition {
  return {
    honeypot: honeypot ?? null,
    minSeconds: minSeconds ?? 0,
    token: token ?? (minSeconds === undefined ? null : 'optional'),
    captcha:
      captcha === undefined
        ? null
        : {
            provider: captcha.provider,
            secret: captcha.secret,
            minScore: captcha.min_score ?? null,
            verifyUrl: captcha.verify_url ?? null,
          },
  };
}

export function sealSpam(spam: SpamDefinition, seal: (text: string) => string): SpamSetting {
  const { captcha } = spam;
  if (captcha === null) return { ...spam, captcha };
  const sealed = typeof captcha.secret === 'string' ? { sealed: seal(captcha.secret) } : captcha.secret;
  return { ...spam, captcha: { ...captcha, secret: sealed } };
}

/** The setting as definitions write it, with a sealed secret. */
export function writeSpamSetting({ honeypot, minSeconds, token, captcha }: SpamSetting): object {
  return {
    ...(honeypot === null ? {} : { honeypot }),
    ...(minSeconds === 0 ? {} : { min_seconds: minSeconds }),
    ...(token === 'required' ? { token } : {}),
    ...(captcha === null ? {} : { captcha: writeCaptcha(captcha) }),
  };
}

function writeCaptcha({ provider, secret: sealed, minScore, verifyUrl }: SealedCaptcha): object {
  return {
    provider,
    secret: sealed,
    ...(minScore === null ? {} : { min_score: minScore }),
    ...(verifyUrl === null ? {} : { verify_url: verifyUrl }),
  };
}
