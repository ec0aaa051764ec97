// `sluice delivery`: lists and shows deliveries for people and for programs, tries failed ones again, exports them.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.ts';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const EVIL = '\u001b]0;owned\u0007 \u009b31m \u202e \u2028';

let receiver: HttpReceiver;
const cleanups: (() => void | Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

const app = shareApp({ stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  receiver = await startHttpReceiver((cleanup) => void cleanups.push(cleanup));
  receiver.answer('/bad', { status: 400 });
  for (const [id, path] of [
    ['good', '/ok'],
    ['bad', '/bad'],
    ['evil', `/ok?${encodeURIComponent('a')}${EVIL}=1`],
  ] as const) {
    const url = `${receiver.url}${path}`;
    await shared.workflow(id, { steps: [{ type: 'test/send@v1', name: 'notify', url, body: EVIL, background: true }] });
    await shared.sink({ path: `/${id}`, workflow_id: id, response: 'wait' });
  }
  const overflow = { policy: 'reject', limit: 0 };
  const step = { type: 'test/send@v1', name: 'notify', url: `${receiver.url}/ok`, background: true, overflow };
  await shared.workflow('behind', { steps: [step] });
  await shared.sink({ path: '/behind', workflow_id: 'behind', response: 'wait' });
});

const delivery = (...args: string[]): Promise<CliResult> => sluice(['delivery', ...args], { environment: adminOf(app()) });
const onlyStderr = (code: number, stderr: string): CliResult => ({ code, stdout: '', stderr });

/** Resolves to the delivery of a new run once it is over. */
async function trigger(sink: string): Promise<any> {
  const response = await fetch(`${app().url}/shop/${sink}`, { method: 'POST' });
  await response.text();
  return await overOf(`run_id=${response.headers.get('x-run-id')}`);
}

async function overOf(filter: string): Promise<any> {
  return await until('the delivery to be over', async () => {
    const [found] = (await app().admin('GET', `/deliveries?${filter}`)).body.deliveries;
    return found?.finished_at !== null && found;
  });
}

const masked = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
    .replaceAll(/\d+\.\d\d s/g, '<took>')
    .replaceAll(receiver.url, 'http://receiver');

describe('delivery list', () => {
  test('prints aligned columns, newest first, and JSON as the server sent it', async () => {
    const first = await trigger('good');
    const second = await trigger('bad');
    const { code, stdout, stderr } = await delivery('list', '--limit', '2');
    expect(code).toBe(0);
    const [heading = '', ...rows] = stdout.split('\n');
    const starts = [second, first].map(({ delivery_id: id }) => `${id}  `);
    expect(rows.map((row) => row.slice(0, starts[0]?.length))).toEqual([...starts, '']);
    expect(new Set([heading.indexOf('STATUS'), rows[0]?.indexOf('failed'), rows[1]?.indexOf('delivered')]).size).toBe(1);
    expect(
      masked(stdout)
        .split('\n')
        .map((row) => row.split(/ {2,}/)),
    ).toEqual([
      ['DELIVERY', 'STATUS', 'ATTEMPTS', 'LAST RESULT', 'APP', 'STEP', 'TO', 'CREATED'],
      [second.delivery_id, 'failed', '1 of 1', '400', 'shop', 'notify', 'POST http://receiver/bad', '<time>'],
      [first.delivery_id, 'delivered', '1 of 1', '200', 'shop', 'notify', 'POST http://receiver/ok', '<time>'],
      [''],
    ]);
    expect(stderr).toMatch(/^there may be more: --cursor \d+\n$/);
    const page = JSON.parse((await delivery('list', '--limit', '1', '-o', 'json')).stdout);
    expect(page.deliveries).toEqual([second]);
    const next = JSON.parse((await delivery('list', '--cursor', String(page.next_cursor), '--limit', '1', '-o', 'json')).stdout);
    expect(next.deliveries).toEqual([first]);
  });

  test('finds deliveries by app, sink, run and status, and says when there are none', async () => {
    const failed = await trigger('bad');
    const filters = ['--app', 'shop', '--sink', failed.sink_id, '--run', failed.run_id, '--status', 'failed'];
    expect(JSON.parse((await delivery('list', ...filters, '-o', 'json')).stdout).deliveries).toEqual([failed]);
    expect(await delivery('list', '--app', 'nobody')).toEqual(onlyStderr(0, 'no deliveries\n'));
  });

  test('tells what is wrong with a filter that cannot be one', async () => {
    expect(await delivery('list', '--status', 'dead')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices are queued, sending, delivered, failed, cancelled, dropped, recorded.'),
    });
    expect(await delivery('list', '--cursor', 'x')).toMatchObject({ code: 1, stderr: expect.stringMatching(/cursor.*\(invalid\)\n$/) });
  });
});

describe('delivery get', () => {
  test('shows the facts and every attempt, and as JSON all that was sent and answered', async () => {
    receiver.answer('/bad', { status: 422 });
    const { delivery_id: id, sink_id: sinkId, run_id: runId } = await trigger('bad');
    receiver.answer('/bad', { status: 400 });
    const { code, stdout, stderr } = await delivery('get', id);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(masked(stdout)).toBe(
      [
        `delivery  ${id}`,
        'status    failed',
        'to        POST http://receiver/bad',
        'attempts  1 of 1',
        'app       shop',
        `sink      ${sinkId}`,
        `run       ${runId}`,
        'step      notify',
        'created   <time>',
        'finished  <time>',
        '',
        'ATTEMPT  STARTED               TOOK    RESULT',
        '1        <time>  <took>  422 Unprocessable Entity',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await delivery('get', id, '-o', 'json')).stdout)).toEqual((await app().admin('GET', `/deliveries/${id}`)).body);
  });

  test('never lets a control character of a delivery reach the terminal', async () => {
    receiver.answer('/ok', { status: 200, body: EVIL });
    const { delivery_id: id } = await trigger('evil');
    receiver.answer('/ok', { status: 200 });
    for (const args of [
      ['get', id],
      ['get', id, '-o', 'json'],
      ['list', '--limit', '1'],
      ['export', '--format', 'ndjson'],
      ['export', '--format', 'csv'],
    ]) {
      const { code, stdout, stderr } = await delivery(...args);
      expect({ code, stderr: stderr.replace(/^there may be more.*\n/, '') }).toEqual({ code: 0, stderr: '' });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      expect(stdout.replaceAll('\r\n', '\n'), args.join(' ')).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/);
      expect(stdout, args.join(' ')).toContain('\\u202e');
    }
    const { message, attempts } = JSON.parse((await delivery('get', id, '-o', 'json')).stdout);
    expect([message.body.text, attempts[0].response.body.text]).toEqual([EVIL, EVIL]);
  });

  test('of one that does not exist says so, as do the others', async () => {
    const stderr = 'sluice: there is no such delivery; it may have been removed by retention, with its run (not_found)\n';
    for (const verb of ['get', 'retry']) expect(await delivery(verb, 'dlv_none_0'), verb).toEqual(onlyStderr(1, stderr));
    expect(await delivery('get', '')).toEqual(onlyStderr(1, 'sluice: "" is not an id\n'));
    expect(await delivery('get')).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument 'delivery_id'") });
  });

  test('needs the token of the administrator', async () => {
    const { code, stderr } = await sluice(['delivery', 'list', '--token', 'wrong'], { environment: { SLUICE_URL: app().url } });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^sluice: the token is wrong.*\(unauthorized\)\n$/)]);
  });
});

describe('delivery retry', () => {
  test('tries one again, and refuses one that has not failed', async () => {
    const { delivery_id: id, run_id: runId } = await trigger('bad');
    receiver.answer('/bad', { status: 200 });
    expect(await delivery('retry', id)).toEqual(onlyStderr(0, `${id} is being retried\n`));
    expect(await overOf(`run_id=${runId}`)).toMatchObject({ status: 'delivered', attempt_count: 2 });
    receiver.answer('/bad', { status: 400 });
    expect(await delivery('retry', id)).toEqual(
      onlyStderr(1, 'sluice: cannot retry: the delivery is delivered; only failed and dropped deliveries can be retried (conflict)\n'),
    );
    const again = await trigger('bad');
    expect(JSON.parse((await delivery('retry', again.delivery_id, '-o', 'json')).stdout)).toMatchObject({ delivery_id: again.delivery_id });
    await overOf(`run_id=${again.run_id}`);
  });

  test('tries all that have failed again, or those that fit', async () => {
    const { sink_id: sinkId } = await trigger('bad');
    await trigger('bad');
    expect(await delivery('retry', '--failed', '--app', 'nobody')).toEqual(onlyStderr(0, 'no failed deliveries\n'));
    receiver.answer('/bad', { status: 200 });
    const { code, stdout } = await delivery('retry', '--failed', '--sink', sinkId, '-o', 'json');
    const { retried, ids } = JSON.parse(stdout);
    expect([code, ids.length, retried >= 2]).toEqual([0, retried, true]);
    await overOf(`sink_id=${sinkId}`);
    receiver.answer('/bad', { status: 400 });
    await trigger('bad');
    expect(await delivery('retry', '--failed')).toEqual(onlyStderr(0, '1 delivery is being retried\n'));
    await overOf(`sink_id=${sinkId}`);
  });

  test('shows why one was dropped, and tries it again, alone or with all that were', async () => {
    const { delivery_id: id, run_id: runId } = await trigger('behind');
    const reason = 'the receiver is behind: 0 wait';
    expect((await delivery('get', id)).stdout).toContain(`status    dropped\nreason    ${reason}\n`);
    const listed = (await delivery('list', '--status', 'dropped', '--run', runId)).stdout;
    expect(listed).toMatch(new RegExp(`${id}  dropped  0 of 1    ${reason}  shop`));
    expect((await delivery('export', '--run', runId, '--format', 'csv')).stdout.trimEnd()).toMatch(new RegExp(`,${reason}$`));
    expect(await delivery('retry', '--dropped', '--run', runId)).toEqual(onlyStderr(0, '1 delivery is being retried\n'));
    expect(await overOf(`run_id=${runId}`)).toMatchObject({ status: 'delivered', dropped_reason: null });
    expect(await delivery('retry', '--dropped', '--run', runId)).toEqual(onlyStderr(0, 'no dropped deliveries that can be retried now\n'));
    const another = await trigger('behind');
    expect(await delivery('retry', another.delivery_id)).toEqual(onlyStderr(0, `${another.delivery_id} is being retried\n`));
  });

  const wrong: [string, string[], string][] = [
    [
      'two kinds',
      ['--failed', '--dropped'],
      'give the id of a delivery, --failed for all failed deliveries, or --dropped for all dropped ones',
    ],
    ['nothing', [], 'give the id of a delivery, --failed for all failed deliveries, or --dropped for all dropped ones'],
    [
      'a filter alone',
      ['--app', 'shop'],
      'give the id of a delivery, --failed for all failed deliveries, or --dropped for all dropped ones',
    ],
    ['both', ['dlv_x_0', '--failed'], 'give either the id of a delivery, or --failed or --dropped with filters'],
    ['an id and a filter', ['dlv_x_0', '--sink', 'x'], 'give either the id of a delivery, or --failed or --dropped with filters'],
  ];
  for (const [what, args, message] of wrong) {
    test(`of ${what} is wrong usage, and tries nothing`, async () => {
      expect(await delivery('retry', ...args)).toEqual(onlyStderr(2, `sluice: ${message}\n`));
    });
  }
});

describe('delivery export', () => {
  test('prints JSON lines or CSV, as the server sent them', async () => {
    const { run_id: runId } = await trigger('good');
    const lines = await delivery('export', '--run', runId);
    expect(lines).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(lines.stdout)).toEqual((await app().admin('GET', `/deliveries?run_id=${runId}`)).body.deliveries[0]);
    const csv = await delivery('export', '--format', 'csv', '--run', runId, '--status', 'delivered');
    expect(csv.stdout.split('\r\n')).toEqual([expect.stringMatching(/^delivery_id,/), expect.stringMatching(/^dlv_.*,delivered,/), '']);
  });

  test('says what the server refuses, and what it cannot be', async () => {
    expect(await delivery('export', '--format', 'xlsx')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices are ndjson, csv.'),
    });
  });

  /** Answers every request as a server that is none of ours, or breaks down, might. */
  async function exportFrom(contentType: string, end: 'whole' | 'broken'): Promise<CliResult> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': contentType }).write('{"delivery_id":"dlv_1"}\n', () => {
        if (end === 'whole') response.end();
        else response.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestEnd(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return await sluice(['delivery', 'export', '--url', url, '--token', 't']);
  }

  test('of a server that breaks off is a failure, not a short file', async () => {
    expect(await exportFrom('application/x-ndjson', 'whole')).toMatchObject({ code: 0, stderr: '' });
    expect(await exportFrom('application/x-ndjson', 'broken')).toMatchObject({
      code: 1,
      stderr: 'sluice: the server ended the export before it was complete\n',
    });
  });

  test('of another kind of server prints nothing of what it said', async () => {
    const { code, stdout, stderr } = await exportFrom('text/html', 'whole');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/answered 200, but not as a Sluice server does/);
  });

  test('ends with Ctrl-C as a command that was interrupted', async () => {
    const { ExitError } = await import('../../src/cli/exit-error.ts');
    const interruption = AbortSignal.abort(new ExitError('', 130));
    expect(await sluice(['delivery', 'export'], { environment: adminOf(app()), interruption })).toEqual(onlyStderr(130, ''));
  });
});
