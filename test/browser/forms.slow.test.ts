// Forms of a website in a real browser: pages of another origin send them, with and without a script.

import { randomBytes } from 'node:crypto';
import axe from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';
import { startChromium } from './chromium.ts';
import { startWebsite, type Website } from './website.ts';

const FILE = randomBytes(70_000);
let now = 1_800_000_000_000;

let browser: Browser;
let website: Website;
let app: TestApp;

beforeAll(async () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const onEnd = (cleanup: () => void | Promise<void>): void => void cleanups.push(cleanup);
  [browser, website, app] = await Promise.all([startChromium(onEnd), startWebsite(onEnd), startTestApp({ clock: () => now, onEnd })]);
  const { origin, page } = website;
  page('/thanks', '<!doctype html><title>Thanks</title><h1>Thank you</h1>');
  const spam = { honeypot: 'website', min_seconds: 3 };
  const workflow_id = 'keep';
  await app.workflow('keep', {
    inputs: [{ type: 'WorkflowParameter', name: 'name', kind: ['string'] }],
    outputs: [{ type: 'JsonField', name: 'body', selector: '$request.body' }],
  });
  await app.sink({ path: '/page', response: 'form', spam, workflow_id });
  await app.sink({ path: '/moved', response: { mode: 'form', success: `${origin}/thanks` }, spam, workflow_id });
  await app.sink({ path: '/fetched', response: 'form', spam, workflow_id, cors: { origins: [origin] } });
  await app.sink({ path: '/closed', response: 'form', workflow_id });
  for (const path of ['page', 'moved', 'fetched', 'closed']) page(`/${path}`, formPage(`${app.url}/shop/${path}`));
  return async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
});

/** Sends by itself with `data-send="script"` on the form. */
function formPage(action: string): string {
  return `<!doctype html><html lang="en"><title>Form</title>
<form method="post" action="${action}" enctype="multipart/form-data">
  <label>Name <input name="name"></label>
  <label>File <input type="file" name="file"></label>
  <p hidden><label>Leave this empty <input name="website"></label></p>
  <button>Send</button> <button type="button" id="script">Send by script</button>
</form>
<output></output>
<script src="${action}?form.js" defer></script>
<script>
document.getElementById('script').onclick = async () => {
  const form = document.forms[0];
  const output = document.querySelector('output');
  try {
    const response = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { accept: 'application/json' } });
    output.value = JSON.stringify({ status: response.status, header: response.headers.get('x-run-id'), body: await response.json() });
  } catch (error) {
    output.value = JSON.stringify({ error: error.name });
  }
};
</script>`;
}

async function openContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  onTestEnd(() => context.close());
  return context;
}

async function fill(path: string, fields: { name?: string; website?: string }, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await openContext(options)).newPage();
  await page.goto(`${website.origin}${path}`);
  await page.fill('[name=name]', fields.name ?? 'Ada');
  await page.setInputFiles('[name=file]', { name: 'käse.bin', mimeType: 'application/octet-stream', buffer: FILE });
  if (fields.website !== undefined)
    await page.locator('[name=website]').evaluate((field, text) => void Object.assign(field, { value: text }), fields.website);
  return page;
}

async function send(page: Page): Promise<number> {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    page.click('button:not([type])'),
  ]);
  await page.waitForLoadState();
  return answer.status();
}

async function sendByScript(page: Page): Promise<any> {
  await page.click('#script');
  return JSON.parse(await until('the script to answer', async () => (await page.locator('output').textContent()) || null));
}

const runIds = async (): Promise<string[]> => (await app.admin('GET', '/runs')).body.runs.map((run: any) => run.run_id);

async function expectRunWithFile(runId: string): Promise<void> {
  const run = await until('the run to end', async () => {
    const { body } = await app.admin('GET', `/runs/${runId}`);
    return body.status === 'completed' && body;
  });
  expect(run.output.body).toStrictEqual({ name: 'Ada' });
  expect(run.request.files).toMatchObject([{ name: 'file', filename: 'käse.bin', size: FILE.length }]);
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const response = await fetch(`${app.url}/api/v1/runs/${runId}/body`, { headers });
  const file = (await response.formData()).get('file') as File;
  expect(Buffer.from(await file.arrayBuffer()).equals(FILE)).toBe(true);
}

const runIdOn = async (page: Page): Promise<string> => (await page.locator('code').textContent()) as string;

describe('without script', () => {
  const options = { javaScriptEnabled: false };

  test('a form with a file is sent, and the visitor lands on the page of the server', async () => {
    const page = await fill('/page', {}, options);
    expect(await send(page)).toBe(200);
    expect(await page.locator('h1').textContent()).toBe('Your form was received');
    await expectRunWithFile(await runIdOn(page));
  });

  test('the visitor lands on the page of the website', async () => {
    const page = await fill('/moved', {}, options);
    expect(await send(page)).toBe(303);
    const url = new URL(page.url());
    expect(url.origin + url.pathname).toBe(`${website.origin}/thanks`);
    await expectRunWithFile(url.searchParams.get('run_id') as string);
  });

  test('a robot that fills the hidden field gets the same page, and no run', async () => {
    const visitor = await fill('/page', {}, options);
    await send(visitor);
    const runs = await runIds();
    const robot = await (await openContext()).newPage();
    await robot.goto(`${website.origin}/page`);
    now += 5000;
    await robot.locator('[name=website]').evaluate((field) => void Object.assign(field, { value: 'https://spam.example' }));
    await robot.fill('[name=name]', 'Ada');
    expect(await send(robot)).toBe(200);
    const [seen, expected] = await Promise.all([robot, visitor].map((page) => page.content()));
    expect((seen as string).replace(await runIdOn(robot), '')).toBe((expected as string).replace(await runIdOn(visitor), ''));
    expect(await runIds()).toEqual(runs);
  });
});

describe('with script', () => {
  test('form.js adds a token, so that a form that is too fast is no run', async () => {
    const page = await fill('/page', {});
    const runs = await runIds();
    expect(await send(page)).toBe(200);
    expect(await page.locator('h1').textContent()).toBe('Your form was received');
    expect(await runIds()).toEqual(runs);
    const slow = await fill('/page', {});
    now += 3000;
    expect(await send(slow)).toBe(200);
    await expectRunWithFile(await runIdOn(slow));
  });

  test('fetch gets JSON that it can read, and faults too', async () => {
    const page = await fill('/fetched', {});
    now += 3000;
    const sent = await sendByScript(page);
    expect(sent).toEqual({ status: 202, header: sent.body.run_id, body: { run_id: expect.any(String), status: 'queued' } });
    await expectRunWithFile(sent.body.run_id);
    const wrong = await fill('/fetched', {});
    await wrong.locator('[name=name]').evaluate((field) => field.removeAttribute('name'));
    now += 3000;
    expect(await sendByScript(wrong)).toMatchObject({ status: 422, body: { error: { code: 'unprocessable' } } });
  });

  test('fetch reads nothing from a sink that does not name its origin', async () => {
    expect(await sendByScript(await fill('/closed', {}))).toEqual({ error: 'TypeError' });
  });
});

describe('axe finds no serious fault', () => {
  test.each([
    ['light', 'en-GB', 'rgb(255, 255, 255)', 'Your form was received', 'Your form was not sent'],
    ['dark', 'de-DE', 'rgb(22, 22, 22)', 'Ihr Formular ist angekommen', 'Ihr Formular wurde nicht gesendet'],
  ] as const)('on the pages of the server (%s, %s)', async (colorScheme, locale, background, received, notSent) => {
    const page = await fill('/closed', {}, { colorScheme, locale });
    await send(page);
    expect(await page.locator('h1').textContent()).toBe(received);
    expect(await page.locator('html').getAttribute('lang')).toBe(locale.slice(0, 2));
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(background);
    expect(await seriousFaults(page)).toEqual([]);
    const wrong = await fill('/closed', {}, { colorScheme, locale });
    await wrong.locator('[name=name]').evaluate((field) => field.removeAttribute('name'));
    expect(await send(wrong)).toBe(422);
    expect(await wrong.locator('h1').textContent()).toBe(notSent);
    expect(await seriousFaults(wrong)).toEqual([]);
    await wrong.click('a');
    expect(new URL(wrong.url()).origin).toBe(website.origin);
  });
});

async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  expect(passes.map(({ id }) => id)).toEqual(expect.arrayContaining(['color-contrast', 'document-title', 'html-has-lang']));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, help }) => `${id}: ${help}`);
}
