// The example config/examples/nightly-summary.yaml as it stands in its file: two nights pass, and a receiver looks at what comes.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { clockedServer, startedTimes } from './schedule-support.ts';

const EXAMPLE = join(import.meta.dirname, '../../config/examples/nightly-summary.yaml');

test('each night a summary of each team is sent', async () => {
  const receiver = await startWebhookReceiver({
    body: '{"orders":12,"returns":3}',
    headers: () => ({ 'content-type': 'application/json' }),
  });
  const origin = new URL(receiver.url).origin;
  // A Saturday.
  const { start, setTo } = clockedServer('2026-06-06T00:20:00Z');
  const app = await start({
    settings: { config: EXAMPLE, outbound_allow: '127.0.0.0/8', drain_seconds: '0' },
    environment: { REPORTS_TOKEN: 'token', FIGURES_URL: `${origin}/figures`, SLACK_WEBHOOK_URL: `${origin}/slack` },
  });
  setTo('2026-06-06T00:29:59.900Z');
  await startedTimes(app, 1);
  setTo('2026-06-08T00:29:59.900Z');
  expect(await startedTimes(app, 3)).toEqual(['2026-06-06T00:30', '2026-06-08T00:30', '2026-06-08T00:30']);
  await until('the summaries', () => receiver.arrivals.length >= 6);
  const textsOf = (path: string): string[] => receiver.arrivals.filter(({ target }) => target.startsWith(path)).map(({ body }) => body);
  expect(textsOf('/slack').sort()).toEqual(['sales', 'sales', 'support'].map((team) => `{"text": "${team}: 12 orders, 3 returns"}`));
  expect(receiver.arrivals[0]?.target).toBe('/figures?team=sales&until=2026-06-06T00%3A30%3A00.000Z');
});
