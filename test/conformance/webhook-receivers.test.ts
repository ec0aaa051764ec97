// Receivers of the real world, seen from a workflow: what HTTP lets a client take is delivered, once, and what became of
// the message is told.

import { describe, expect, test } from 'vitest';
import { type Script, startScriptedReceiver } from '../delivery/scripted-receiver.ts';
import { shareApp } from '../support/shared-app.ts';

const app = shareApp({ settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  const send = {
    type: 'roboflow_core/webhook_sink@v1',
    name: 'send',
    url: '$inputs.url',
    method: 'POST',
    json_payload: { n: 1 },
    fire_and_forget: false,
    cooldown_seconds: 0,
    retry: { max_retries: 2, base_seconds: 0.05 },
  };
  await shared.workflow('out', {
    inputs: [{ type: 'WorkflowParameter', name: 'url', kind: ['string'] }],
    steps: [send],
    outputs: [{ type: 'JsonField', name: 'all', selector: '$steps.send.*' }],
  });
  await shared.sink({ path: '/out', workflow_id: 'out', response: 'wait' });
});

async function trigger(url: string): Promise<{ run_id: string; output: { all: Record<string, unknown> } }> {
  const response = await fetch(`${app().url}/shop/out`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  });
  return (await response.json()) as Awaited<ReturnType<typeof trigger>>;
}

async function attemptsOf(runId: string): Promise<any[]> {
  const [delivery] = (await app().admin('GET', `/deliveries?run_id=${runId}`)).body.deliveries;
  return (await app().admin('GET', `/deliveries/${delivery.delivery_id}`)).body.attempts;
}

describe('is delivered, and sent once', () => {
  test.each<[string, Script['answers'], number]>([
    ['204 with a length', ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'], 204],
    ['304 with a length', ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'], 304],
    ['100 that nobody asked for', ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'], 200],
    ['two equal lengths', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'], 200],
  ])('%s', async (_what, answers, status) => {
    const receiver = await startScriptedReceiver({ answers });
    const { run_id: runId, output } = await trigger(receiver.url);
    expect(output.all).toMatchObject({ error_status: false, message: 'Notification sent successfully', status_code: status });
    expect(receiver.requests).toEqual([1]);
    expect(await attemptsOf(runId)).toMatchObject([{ kind: 'response', status }]);
  });
});

describe('a redirect', () => {
  const redirect = (status: number, to: string) => [`HTTP/1.1 ${status} Moved\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`];

  test.each([301, 302, 303])('%i that turns the POST into a bare GET is told in the message and the attempt', async (status) => {
    const target = await startScriptedReceiver({ answers: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'] });
    const receiver = await startScriptedReceiver({ answers: redirect(status, `${target.url}?key=hidden`) });
    const { run_id: runId, output } = await trigger(receiver.url);
    const message = `Notification sent successfully; a redirect (${status}) to ${target.url} turned the POST into a GET without its body`;
    expect(output.all).toMatchObject({ error_status: false, status_code: 200, message });
    const [attempt] = await attemptsOf(runId);
    expect(attempt.response.redirects).toEqual([{ status, url: `${target.url}?key=********`, method: 'GET', is_body_lost: true }]);
  });

  test('that ends in an error is told too', async () => {
    const target = await startScriptedReceiver({ answers: ['HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n'] });
    const receiver = await startScriptedReceiver({ answers: redirect(302, target.url) });
    const { output } = await trigger(receiver.url);
    expect(output.all).toMatchObject({ error_status: true, status_code: 405 });
    expect(output.all['message']).toMatch(/405 Client Error: .*; a redirect \(302\) to .* turned the POST into a GET without its body$/);
  });

  test.each([307, 308])('%i that keeps the message is told in the attempt alone', async (status) => {
    const target = await startScriptedReceiver({ answers: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'] });
    const receiver = await startScriptedReceiver({ answers: redirect(status, target.url) });
    const { run_id: runId, output } = await trigger(receiver.url);
    expect(output.all).toMatchObject({ message: 'Notification sent successfully' });
    const [attempt] = await attemptsOf(runId);
    expect(attempt.response.redirects).toEqual([{ status, url: target.url, method: 'POST', is_body_lost: false }]);
  });

  test('to an endless address is recorded by its origin alone', async () => {
    const target = await startScriptedReceiver({ answers: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'] });
    const receiver = await startScriptedReceiver({ answers: redirect(302, `${target.url}/${'x'.repeat(8000)}`) });
    const [attempt] = await attemptsOf((await trigger(receiver.url)).run_id);
    expect(attempt.response.redirects[0].url.length).toBeLessThan(100);
  });
});

test('Retry-After with a fraction of a second is waited for, rounded up', async () => {
  const answers = [
    'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0.5\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  ];
  const receiver = await startScriptedReceiver({ answers });
  const { run_id: runId, output } = await trigger(receiver.url);
  expect(output.all).toMatchObject({ error_status: false, status_code: 200 });
  const [first, second] = await attemptsOf(runId);
  expect(Date.parse(second.started_at) - Date.parse(first.started_at)).toBeGreaterThanOrEqual(1000);
});
