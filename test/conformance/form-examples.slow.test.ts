// The examples of forms in config/examples, each as it stands in its file: a browser's request goes in at the sink, and a
// mail server or a service looks at what comes out.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startMailServer } from '../delivery/mail-server.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const EXAMPLES = join(import.meta.dirname, '../../config/examples');
const WEBSITE = 'https://www.example.org';
const PDF = Buffer.from('%PDF-1.7\n\0\xff\r\n%%EOF', 'latin1');

interface Changes {
  environment: Record<string, string>;
  /** Texts that only the test has otherwise: ports, and the address of a provider. */
  replaced?: readonly [from: string, to: string][];
}

async function startExample(name: string, { environment, replaced = [] }: Changes): Promise<TestApp> {
  let text = readFileSync(join(EXAMPLES, `${name}.yaml`), 'utf8');
  for (const [from, to] of replaced) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  const config = join(tempDir(), `${name}.yaml`);
  writeFileSync(config, text);
  const settings = { config, outbound_allow: '127.0.0.0/8', secrets_allow: 'SMTP_PASSWORD' };
  const mail = { MAIL_ADDRESS: 'office@example.org', JOBS_ADDRESS: 'jobs@example.org', SMTP_HOST: '127.0.0.1', SMTP_PASSWORD: 'right' };
  return await startTestApp({ settings, environment: { WEBSITE, ...mail, ...environment } });
}

function formOf(fields: Record<string, string>, files: File[] = []): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const file of files) form.append('cv', file);
  return form;
}

const post = (url: string, body: FormData | URLSearchParams): Promise<Response> =>
  fetch(url, { method: 'POST', body, redirect: 'manual', headers: { accept: 'text/html' } });

test('a message of the contact form is a mail, and the visitor lands on the website', async () => {
  const server = await startMailServer();
  const app = await startExample('contact-form', { environment: {}, replaced: [['smtp_port: 587', `smtp_port: ${server.port}`]] });
  const fields = { name: 'Ada', email: 'ada@example.org', message: 'Hello!\n<b>Ada</b>', website: '' };
  const response = await post(`${app.url}/website/contact`, new URLSearchParams(fields));
  expect(response.status).toBe(303);
  expect(response.headers.get('location')).toMatch(/^https:\/\/www\.example\.org\/thanks\.html\?run_id=run_/);
  await post(`${app.url}/website/contact`, new URLSearchParams({ ...fields, website: 'https://spam.example' }));
  await until('the mail to arrive', () => server.mails.length > 0);
  expect(server.mails).toHaveLength(1);
  expect(server.mails[0]).toMatchObject({ from: 'office@example.org', to: ['office@example.org'], user: 'office@example.org' });
  expect(server.mails[0]?.content).toContain('Ada <ada@example.org> wrote:');
  expect((await app.admin('GET', '/runs')).body.runs).toHaveLength(1);
  expect((await post(`${app.url}/website/contact`, new URLSearchParams({ name: 'Ada' }))).status).toBe(422);
});

test('an application is a mail with the PDF byte for byte', async () => {
  const server = await startMailServer();
  const app = await startExample('job-application', { environment: {}, replaced: [['smtp_port: 587', `smtp_port: ${server.port}`]] });
  const fields = { name: 'Ada', email: 'ada@example.org', position: 'engineer' };
  const response = await post(`${app.url}/website/jobs`, formOf(fields, [new File([PDF], 'Ada.pdf', { type: 'application/pdf' })]));
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('<h1>Your form was received</h1>');
  await until('the mail to arrive', () => server.mails.length > 0);
  expect(server.mails[0]?.to).toEqual(['jobs@example.org']);
  expect(server.mails[0]?.content).toContain('filename=cv.pdf');
  expect(server.mails[0]?.content.replaceAll('\r\n', '')).toContain(PDF.toString('base64'));
  expect((await post(`${app.url}/website/jobs`, formOf(fields))).status).toBe(422);
});

test('dropped files go on as they came once the captcha is verified', async () => {
  const [provider, service] = [await startHttpReceiver(onTestEnd), await startWebhookReceiver({ body: 'ok' })];
  provider.answer('/verify', { status: 200, body: '{"success":true}' });
  const app = await startExample('file-drop', {
    environment: { FILES_URL: `${new URL(service.url).origin}/store`, TURNSTILE_SECRET: 'a-secret' },
    replaced: [['provider: turnstile,', `provider: turnstile, verify_url: "${provider.url}/verify",`]],
  });
  const files = [new File([PDF], 'a.pdf'), new File(['b'], 'b.txt')];
  const fields = { 'cf-turnstile-response': 'solved', _next: `${WEBSITE}/sent`, comment: 'Two files' };
  const response = await post(`${app.url}/website/files`, formOf(fields, files));
  expect(response.status).toBe(303);
  expect(response.headers.get('location')).toMatch(/^https:\/\/www\.example\.org\/sent\?run_id=run_/);
  await until('the files to arrive', () => service.arrivals.length > 0);
  const [arrival] = service.arrivals;
  const form = await new Response(new Uint8Array(arrival?.bytes ?? []), {
    headers: { 'content-type': arrival?.headers['content-type'] as string },
  }).formData();
  expect([...form.keys()]).toEqual(['comment', 'cv', 'cv']);
  expect(Buffer.from(await (form.getAll('cv')[0] as File).arrayBuffer()).equals(PDF)).toBe(true);
  expect((await post(`${app.url}/website/files`, formOf({}, files))).status).toBe(422);
});
