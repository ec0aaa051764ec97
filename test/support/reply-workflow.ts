// A workflow that sends reply URLs to a receiver and waits for the reply, and the URLs that it sent.

import { until } from './until.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

/** The address that the URLs begin with; a test calls the server itself. */
export const BASE_URL = 'https://replies.test';

interface Options {
  urls?: Record<string, unknown>;
  wait?: Record<string, unknown>;
  /** Steps between the message and the wait. */
  between?: Record<string, unknown>[];
}

/** Its steps: `links`, `tell`, `decision`. The output is the one of the wait. */
export function replyWorkflow(receiver: Pick<WebhookReceiver, 'url'>, { urls = {}, wait = {}, between = [] }: Options = {}) {
  const links = { type: 'sluice/reply_urls@v1', name: 'links', choices: ['approve', 'reject'], ...urls };
  const json = Object.fromEntries([...(links.choices as string[]), 'url'].map((name) => [name, `$steps.links.${name}`]));
  return {
    version: '1.0',
    inputs: [],
    steps: [
      links,
      { type: 'sluice/http_request@v1', name: 'tell', method: 'POST', url: receiver.url, json },
      ...between,
      { type: 'sluice/wait_for_request@v1', name: 'decision', reply_id: '$steps.links.id', ...wait },
    ],
    outputs: ['choice', 'body', 'replied_at', 'timed_out'].map((name) => ({
      type: 'JsonField',
      name,
      selector: `$steps.decision.${name}`,
    })),
  };
}

export type Links = Record<'approve' | 'reject' | 'url', string>;

/** Of the arrival with this number, as URLs of the server at `serverUrl`. */
export async function sentLinks({ arrivals }: WebhookReceiver, serverUrl: string, number = 0): Promise<Links> {
  const { body } = await until('the message with the URLs', () => arrivals[number]);
  const sent = Object.entries(JSON.parse(body) as Links);
  return Object.fromEntries(sent.map(([name, url]) => [name, url.replace(BASE_URL, serverUrl)])) as Links;
}
