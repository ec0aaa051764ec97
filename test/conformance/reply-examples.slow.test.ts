// The examples with a reply by mail, each as it stands in its file: a real mail goes out, and its link brings the run to its end.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startMailServer } from '../delivery/mail-server.ts';
import { BASE_URL } from '../support/reply-workflow.ts';
import { startTestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const TOKEN = 'token-of-the-example';

async function startExample(name: string) {
  const mail = await startMailServer({ allowInsecureAuth: true });
  const receiver = await startWebhookReceiver();
  const environment = {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(mail.port),
    SMTP_USER: 'office@example.org',
    SMTP_PASSWORD: 'right',
    APPROVER: 'boss@example.org',
    BOOKKEEPING_URL: receiver.url,
    NEWSLETTER_URL: receiver.url,
    EXPENSES_TOKEN: TOKEN,
  };
  const config = join(import.meta.dirname, '../../config/examples', `${name}.yaml`);
  const settings = { config, outbound_allow: '127.0.0.0/8', secrets_allow: 'SMTP_PASSWORD', base_url: BASE_URL };
  const app = await startTestApp({ settings, environment });
  return {
    app,
    receiver,
    /** The links of the mail, as URLs of this server. */
    async mailedLinks(): Promise<string[]> {
      const { content } = await until('the mail', () => mail.mails[0]);
      const text = content
        .replaceAll(/=\r?\n/g, '')
        .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      return [...text.matchAll(/https:\/\/replies\.test(\/\S+)/g)].map(([, path]) => app.url + path);
    },
    ended: (runId: string) =>
      until('the run to end', async () => {
        const { body } = await app.admin('GET', `/runs/${runId}`);
        return body.finished_at === null ? null : body;
      }),
  };
}

test.each([
  [0, 'approve', 1],
  [1, 'reject', 0],
])('an expense is booked only if it is approved: link %i', async (link, choice, booked) => {
  const { app, receiver, mailedLinks, ended } = await startExample('approval-by-mail');
  const response = await fetch(`${app.url}/expenses/expense`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: '{"who":"Ada","purpose":"a bicycle","amount":480.5}',
  });
  const { run_id: runId } = (await response.json()) as { run_id: string };
  const links = await mailedLinks();
  expect(links).toHaveLength(2);
  expect((await fetch(links[link] as string, { method: 'POST' })).status).toBe(200);
  expect(await ended(runId)).toMatchObject({ status: 'completed', output: { choice, timed_out: false } });
  expect(receiver.arrivals).toHaveLength(booked);
  for (const { body } of receiver.arrivals) expect(JSON.parse(body)).toMatchObject({ who: 'Ada', purpose: 'a bicycle', amount: 480.5 });
});

test('an address is sent on once its owner has confirmed it', async () => {
  const { app, receiver, mailedLinks, ended } = await startExample('newsletter-double-opt-in');
  const form = { method: 'POST', body: new URLSearchParams({ email: 'ada@example.org' }), redirect: 'manual' } as const;
  const response = await fetch(`${app.url}/newsletter/subscribe`, form);
  expect(response.status).toBe(303);
  const [link = ''] = await mailedLinks();
  await fetch(link);
  expect(receiver.arrivals).toEqual([]);
  await fetch(link, { method: 'POST', headers: { accept: 'text/html' }, body: new URLSearchParams({ choice: 'confirm' }) });
  expect(await ended(response.headers.get('x-run-id') as string)).toMatchObject({ status: 'completed', output: { timed_out: false } });
  expect(receiver.arrivals.map(({ body }) => JSON.parse(body).email)).toEqual(['ada@example.org']);
});
