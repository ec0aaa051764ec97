// Asks the provider of a captcha whether the visitor has solved it. A provider that cannot be asked lets nobody pass.

import { CAPTCHA_PROVIDERS, type SealedCaptcha } from '../../../core/sink/spam-setting.ts';
import { AppError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { Sealer } from '../../../sealer.ts';

/** Posts an urlencoded form and resolves to the body of a 200. Rejects with an Error of one line. */
export type PostForm = (url: string, form: string) => Promise<string>;

const MAX_ANSWER_LENGTH = 8192;
const RETRY_AFTER_SECONDS = 30;

export interface CaptchaTools {
  sealer: Pick<Sealer, 'open'>;
  postForm: PostForm;
  logger: Logger;
}

/** Resolves when the captcha is passed. Rejects with `unprocessable`, or with `unavailable` when nobody can tell. */
export async function checkCaptcha(captcha: SealedCaptcha, answer: unknown, { sealer, postForm, logger }: CaptchaTools): Promise<void> {
  const { provider, secret, minScore, verifyUrl } = captcha;
  const { field } = CAPTCHA_PROVIDERS[provider];
  const refuse = (why: string): AppError => new AppError('unprocessable', why, { details: { part: field } });
  if (typeof answer !== 'string' || answer === '' || answer.length > MAX_ANSWER_LENGTH)
    throw refuse(`the form has no answer to the captcha in field "${field}"; solve it and send the form again`);
  const form = new URLSearchParams({ secret: open(secret.sealed, sealer), response: answer }).toString();
  const verdict = await readVerdict(postForm, verifyUrl ?? CAPTCHA_PROVIDERS[provider].verifyUrl, form, logger);
  if (verdict.errors.some((code) => code.endsWith('-secret') || code === 'sitekey-secret-mismatch'))
    throw unavailable('the captcha provider refuses the secret of this sink');
  if (!verdict.isPassed) throw refuse('the captcha was not passed, or its answer was used before; solve it and send the form again');
  if (minScore !== null && (verdict.score ?? 0) < minScore) throw refuse('the captcha provider takes the sender for a robot');
}

interface Verdict {
  isPassed: boolean;
  score: number | null;
  errors: string[];
}

async function readVerdict(postForm: PostForm, url: string, form: string, logger: Logger): Promise<Verdict> {
  let answer: unknown;
  try {
    answer = JSON.parse(await postForm(url, form));
  } catch (error) {
    // The reason is for the operator, not for the visitor.
    logger.warn({ err: error }, 'a captcha could not be verified');
    throw unavailable('the captcha cannot be verified at the moment', error);
  }
  if (typeof answer !== 'object' || answer === null || typeof (answer as { success?: unknown }).success !== 'boolean')
    throw unavailable('the captcha provider gave no verdict');
  const { success, score, 'error-codes': errors } = answer as { success: boolean; score?: unknown; 'error-codes'?: unknown };
  return {
    isPassed: success,
    score: typeof score === 'number' ? score : null,
    errors: Array.isArray(errors) ? errors.filter((code) => typeof code === 'string') : [],
  };
}

function open(sealed: string, sealer: Pick<Sealer, 'open'>): string {
  try {
    return sealer.open(sealed);
  } catch (error) {
    throw unavailable('the captcha secret of this sink cannot be opened: it was sealed with another secret key', error);
  }
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}
