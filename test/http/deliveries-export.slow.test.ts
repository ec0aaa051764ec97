// Deliveries as a file: whole, of one form, safe to open in a spreadsheet, and read page by page.

import { afterAll, describe, expect, test } from 'vitest';
import { EXPORT_FORMATS } from '../../src/http/admin/export-deliveries.ts';
import type { PresentedDelivery } from '../../src/http/admin/present-delivery.ts';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';
import { until } from '../support/until.ts';

/** More than a page of an export, and more than a bulk retry takes. */
const DELIVERIES = 1100;
const STEPS = 100;

let receiver: HttpReceiver;
const cleanups: (() => void | Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

const app = shareApp({ stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  receiver = await startHttpReceiver((cleanup) => void cleanups.push(cleanup));
  receiver.answer('/bad', { status: 400 });
  const steps = Array.from({ length: STEPS }, (_, index) => ({
    type: 'test/send@v1',
    name: `s${index}`,
    url: `${receiver.url}/bad`,
    background: true,
  }));
  await shared.workflow('many', { steps });
  await shared.sink({ path: '/many', workflow_id: 'many', response: 'wait' });
  for (let count = 0; count < DELIVERIES / STEPS; count += 1) await (await fetch(`${shared.url}/shop/many`, { method: 'POST' })).text();
  await until(
    'all deliveries to be over',
    async () => {
      const [queued, sending] = await Promise.all(
        ['queued', 'sending'].map((status) => shared.admin('GET', `/deliveries?limit=1&status=${status}`)),
      );
      return queued?.body.deliveries.length === 0 && sending?.body.deliveries.length === 0;
    },
    30_000,
  );
});

async function get(query: string): Promise<Response> {
  return await fetch(`${app().url}/api/v1/deliveries/export${query}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
}

describe('an export', () => {
  test('as JSON lines holds every delivery once, newest first, as the list shows it', async () => {
    const response = await get('');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="deliveries.ndjson"');
    const text = await response.text();
    expect(text.endsWith('}\n')).toBe(true);
    const exported = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exported).toHaveLength(DELIVERIES);
    expect(new Set(exported.map(({ delivery_id: id }) => id)).size).toBe(DELIVERIES);
    expect(exported.slice(0, 50)).toEqual((await app().admin('GET', '/deliveries?limit=50')).body.deliveries);
  });

  test('as CSV has a heading, a line for each delivery, and line ends by RFC 4180', async () => {
    const response = await get('?format=csv&status=failed&app_id=shop');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="deliveries.csv"');
    const lines = (await response.text()).split('\r\n');
    expect(lines).toHaveLength(DELIVERIES + 2);
    expect(lines[0]).toMatch(/^delivery_id,status,app_id,sink_id,run_id,step,/);
    expect(lines[1]).toMatch(
      /^dlv_\w+,failed,shop,snk_\w+,run_\w+,s99,http,POST,http:\/\/127\.0\.0\.1:\d+\/bad,,1,1,response,400,,,\d{4}-/,
    );
    expect(lines.at(-1)).toBe('');
  });

  test('of nothing is empty, but for the heading of CSV', async () => {
    expect(await (await get('?app_id=nobody')).text()).toBe('');
    expect((await (await get('?app_id=nobody&format=csv')).text()).split('\r\n')).toHaveLength(2);
  });

  for (const query of ['?format=xlsx', '?format=', '?limit=5', '?cursor=1', '?status=dead', '?format=csv&format=ndjson']) {
    test(`with ${query} is 400, and no file`, async () => {
      const response = await get(query);
      expect(response.status).toBe(400);
      expect(response.headers.get('content-disposition')).toBeNull();
      expect(await response.json()).toMatchObject({ error: { code: 'invalid' } });
    });
  }

  test('that its reader gives up leaves the server as it was', async () => {
    const reader = (await get('')).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await fetch(`${app().url}/healthz`)).status).toBe(200);
    expect((await get('?app_id=nobody')).status).toBe(200);
  });
});

test('a bulk retry of more than it takes goes on where it ended, and takes each once', async () => {
  receiver.answer('/bad', { status: 400 });
  const first = (await app().admin('POST', '/deliveries/retry', { status: 'failed' })).body;
  expect([first.retried, first.ids.length]).toEqual([1000, 1000]);
  const second = (await app().admin('POST', '/deliveries/retry', { status: 'failed', cursor: first.next_cursor })).body;
  expect([second.retried, second.next_cursor]).toEqual([DELIVERIES - 1000, null]);
  expect(new Set([...first.ids, ...second.ids]).size).toBe(DELIVERIES);
});

describe('a cell of CSV', () => {
  const delivery: PresentedDelivery = {
    delivery_id: 'dlv_1_0',
    run_id: 'run_1',
    app_id: 'shop',
    sink_id: 'snk_1',
    step: 'notify',
    status: 'failed',
    transport: 'http',
    method: 'POST',
    url: 'https://example.org/',
    attempt_count: 1,
    max_attempts: 6,
    last_result: null,
    next_attempt_at: null,
    created_at: '2026-01-01T00:00:00.000Z',
    finished_at: null,
    dropped_reason: null,
  };
  const withError = (error: string): string =>
    EXPORT_FORMATS.csv.line({ ...delivery, last_result: { kind: 'network', status: null, error } }).split(',network,,')[1] as string;

  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1']) {
    test(`that begins as ${JSON.stringify(formula)} is no formula`, () => {
      const cell = withError(formula);
      expect(cell.replace(/^"/, '').startsWith(`'${formula}`)).toBe(true);
    });
  }

  test('with quotes, commas or line ends is quoted', () => {
    expect(withError('he said "no", twice')).toBe('"he said ""no"", twice",,2026-01-01T00:00:00.000Z,,\r\n');
    expect(withError('a\r\nb')).toBe('"a\r\nb",,2026-01-01T00:00:00.000Z,,\r\n');
    expect(withError('plain - and = inside')).toBe('plain - and = inside,,2026-01-01T00:00:00.000Z,,\r\n');
  });
});
