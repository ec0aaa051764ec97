// sluice/reply_urls@v1: makes one-time URLs by which somebody outside can reply to the run.

import { REPLY_URLS, type ReplyForm, replySchemaFaults } from '../../core/reply/reply-form.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { integerOrSelector } from '../shared/property-schemas.ts';
import { readInteger, SettingFault } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';

interface ReplyUrlsManifest extends ReplyForm {
  expires_seconds?: unknown;
}

export const MAX_REPLY_SECONDS = 366 * 86_400;
export const DEFAULT_REPLY_SECONDS = 7 * 86_400;
const MAX_CHOICES = 16;

export const replyUrls: StepType<ReplyUrlsManifest> = {
  type: REPLY_URLS,
  summary:
    'Makes one-time URLs for a reply from outside, such as an approval by mail: one for each choice, `url` for all choices, and `id` for the step that waits. Each URL stays masked everywhere except in sent messages.',
  properties: {
    choices: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_CHOICES,
      uniqueItems: true,
      items: {
        type: 'string',
        pattern: '^(?!(?:url|id|error)$)[a-z][a-z0-9_]{0,31}$',
        description: 'must be 1 to 32 lower-case letters, digits and "_", and not "url", "id" or "error"',
      },
      description: 'the choices, such as "approve" and "reject"; each adds an output, the URL that makes this choice',
    },
    expires_seconds: integerOrSelector('how long the URLs are good', {
      minimum: 1,
      maximum: MAX_REPLY_SECONDS,
      default: DEFAULT_REPLY_SECONDS,
    }),
    schema: {
      type: 'object',
      description:
        'a JSON Schema of the body of a reply; a body that does not fit is refused and the URL stays good. Without one any body of up to 64 KiB fits',
    },
  },
  required: ['choices'],
  findFaults: ({ schema }) => (schema === undefined ? [] : replySchemaFaults(schema)),
  outputs: ({ choices }) => [...choices, 'url', 'id'],
  plan: ({ choices, expires_seconds: seconds }, context) =>
    withOperations(() => {
      const expiresAt = context.now + 1000 * readReplySeconds('expires_seconds', seconds);
      const url = context.replyUrl(null, expiresAt);
      if (url === null) return { kind: 'failed', retryable: false, error: NO_ADDRESS };
      const urls = choices.map((choice, number) => [choice, context.replyUrl(number, expiresAt)]);
      return { kind: 'completed', outputs: { ...Object.fromEntries(urls), url, id: context.replyId } };
    }),
};

const NO_ADDRESS = {
  code: 'no_base_url',
  message: 'the server does not know its public address, which the URLs need; set SLUICE_BASE_URL',
};

/** Throws SettingFault. */
export function readReplySeconds(name: string, value: unknown): number {
  const seconds = value === undefined || value === null ? DEFAULT_REPLY_SECONDS : readInteger(name, value);
  if (seconds < 1 || seconds > MAX_REPLY_SECONDS)
    throw new SettingFault(`${name} must be a whole number from 1 to ${MAX_REPLY_SECONDS}, but is ${seconds}`);
  return seconds;
}
