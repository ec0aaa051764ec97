// `sluice run`: lists and shows runs for people and for programs, follows, cancels and replays them.

import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';

const gates = createGates();
const settings = { base_url: 'https://replies.test' };
const app = shareApp({ ...gates.options, settings }, async (shared) => {
  await shared.workflow('greet', {
    inputs: [{ type: 'WorkflowParameter', name: 'who' }],
    steps: [{ type: 'sluice/set@v1', name: 'greet', values: { to: '$inputs.who' } }],
    outputs: [{ type: 'JsonField', name: 'hello', selector: '$steps.greet.to' }],
  });
  await shared.sink({ path: '/greet', workflow_id: 'greet' });
  await shared.workflow('failing', { steps: [{ type: 'sluice/fail@v1', name: 'pay', message: 'refused' }] });
  await shared.sink({ path: '/failing', workflow_id: 'failing' });
  await shared.workflow('gated', gatedWorkflow('run', 1));
  await shared.sink({ path: '/gated', workflow_id: 'gated' });
  const links = { type: 'sluice/reply_urls@v1', name: 'links', choices: ['yes'] };
  const decision = { type: 'sluice/wait_for_request@v1', name: 'decision', reply_id: '$steps.links.id' };
  await shared.workflow('asking', { steps: [links, decision] });
  await shared.sink({ path: '/asking', workflow_id: 'asking' });
});

const run = (...args: string[]): Promise<CliResult> => sluice(['run', ...args], { environment: adminOf(app()) });

/** Resolves to the run's id once it has ended, or at once for a run that waits at its gate. */
async function trigger(sink: string, body = '{"who":"Ada"}', untilEnd = true): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const { runId, events } = await createClient({ url: app().url }).trigger(`/shop/${sink}`, { headers, body });
  if (untilEnd) for await (const _event of events);
  return runId;
}

const times = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>').replaceAll(/\d+\.\d\d s/g, '<took>');

describe('run list', () => {
  test('prints aligned columns, newest first, and JSON as the server sent it', async () => {
    const first = await trigger('greet');
    const second = await trigger('failing');
    const { code, stdout, stderr } = await run('list', '--limit', '2');
    expect(code).toBe(0);
    const pad = ' '.repeat(first.length - 3);
    expect(times(stdout)).toBe(
      [
        `RUN${pad}  STATUS     PROGRESS  APP   WORKFLOW    CREATED               TOOK`,
        `${second}  failed     0%        shop  failing v1  <time>  <took>`,
        `${first}  completed  100%      shop  greet v1    <time>  <took>`,
        '',
      ].join('\n'),
    );
    expect(stderr).toBe(`there may be more: --cursor ${first}\n`);

    const page = JSON.parse((await run('list', '--limit', '1', '-o', 'json')).stdout);
    expect(page).toMatchObject({ runs: [{ run_id: second, status: 'failed', error: { step: 'pay' } }], next_cursor: second });
    const next = JSON.parse((await run('list', '--limit', '1', '--cursor', second, '-o', 'json')).stdout);
    expect(next.runs).toMatchObject([{ run_id: first }]);
  });

  test('finds runs by app, sink, status and time, and says when there are none', async () => {
    const runId = await trigger('failing');
    const { body } = await app().admin('GET', `/runs/${runId}`);
    const found = ['--app', 'shop', '--sink', body.sink_id, '--status', 'failed', '--since', body.created_at];
    expect(JSON.parse((await run('list', ...found, '-o', 'json')).stdout).runs.map((item: any) => item.run_id)).toContain(runId);
    expect(await run('list', '--app', 'nobody')).toEqual({ code: 0, stdout: '', stderr: 'no runs\n' });
    expect(JSON.parse((await run('list', '--until', '2001-01-01T00:00:00Z', '-o', 'json')).stdout)).toEqual({
      runs: [],
      next_cursor: null,
    });
  });

  test('searches a text, and says how far it came when there may be more', async () => {
    const first = await trigger('greet', '{"who":"Grace Hopper"}');
    const second = await trigger('greet', '{"who":"Grace Kelly"}');
    expect((await run('list', '--text', 'HOPPER', '--in', 'output', '--status', 'failed,completed')).stdout).toContain(first);
    const page = await run('list', '--text', 'grace', '--limit', '1');
    expect(page.stdout).toContain(second);
    expect(page.stderr).toMatch(new RegExp(`^runs searched: 1, back to \\S+Z\nthere may be more: --cursor ${second}\n$`));
    expect(await run('list', '--text', 'nobody', '--workflow', 'greet')).toEqual({ code: 0, stdout: '', stderr: 'no runs\n' });
    expect(await run('list', '--in', 'steps')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices are body, output'),
    });
  });

  test('tells what the server says of a filter that cannot be one', async () => {
    expect(await run('list', '--since', 'yesterday')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sluice: since: must be an ISO 8601 time, such as 2026-01-31T12:00:00Z (invalid)\n',
    });
    expect(await run('list', '--limit', 'many')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^sluice: .*limit.* \(invalid\)\n$/),
    });
  });
});

describe('run get', () => {
  test('says until when a run waits for a reply, and not where to send it', async () => {
    const { stdout } = await run('get', await trigger('asking', '{}', false));
    expect(times(stdout)).toMatch(/decision +sluice\/wait_for_request@v1 +waiting for a reply until <time> +1/);
    expect(stdout).not.toContain('replies.test');
  });

  test('shows the facts, the steps and the output of a run', async () => {
    const runId = await trigger('greet');
    const { body } = await app().admin('GET', `/runs/${runId}`);
    const { code, stdout, stderr } = await run('get', runId);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(times(stdout)).toBe(
      [
        `run       ${runId}`,
        'status    completed, 100%',
        'app       shop',
        `sink      ${body.sink_id}`,
        'workflow  greet v1',
        'request   POST /greet from 127.0.0.1',
        'created   <time>',
        'finished  <time>, after <took>',
        '',
        'STEP   TYPE           STATUS     ATTEMPT  TOOK    ERROR',
        'greet  sluice/set@v1  completed  1        <took>  -',
        '',
        '{',
        '  "hello": "Ada"',
        '}',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await run('get', runId, '-o', 'json')).stdout)).toEqual(body);
  });

  test('shows the head of a run without its output', async () => {
    const runId = await trigger('greet');
    const { body } = await app().admin('GET', `/runs/${runId}?parts=head`);
    const { code, stdout, stderr } = await run('get', runId, '--head');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`run       ${runId}\n`);
    expect(stdout).toContain(`\n\nbody      ${body.request.body_size} bytes\noutput    15 bytes\n`);
    expect(stdout).not.toContain('"hello"');
    expect(JSON.parse((await run('get', runId, '--head', '-o', 'json')).stdout)).toEqual(body);
  });

  test('shows why a run failed', async () => {
    const { stdout } = await run('get', await trigger('failing'));
    expect(stdout).toMatch(/^error {5}step "pay": refused \(\w+\)$/m);
  });

  test('never lets a control character of the run reach the terminal', async () => {
    const runId = await trigger('greet', JSON.stringify({ who: '\u001b]0;owned\u0007 \u009b31m \u202e \u2028' }));
    for (const args of [
      ['get', runId],
      ['get', runId, '-o', 'json'],
      ['tail', runId],
    ]) {
      const { stdout, stderr } = await run(...args);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      expect(stdout + stderr, args.join(' ')).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/);
      expect(stdout).toContain('\\u001b]0;owned\\u0007 \\u009b31m \\u202e \\u2028');
    }
    const { stdout } = await run('get', runId, '-o', 'json');
    expect(JSON.parse(stdout).output.hello).toBe('\u001b]0;owned\u0007 \u009b31m \u202e \u2028');
  });

  test('of a run that does not exist says so', async () => {
    const stderr = 'sluice: there is no such run; it may have been removed by retention (not_found)\n';
    for (const verb of ['get', 'tail', 'cancel', 'replay'])
      expect(await run(verb, 'run_none'), verb).toEqual({ code: 1, stdout: '', stderr });
  });
});

describe('run tail, cancel and replay', () => {
  test('follow a run, cancel it, and run its request again', async () => {
    const runId = await trigger('gated', '{}', false);
    await gates.reached('run1');
    const tailing = run('tail', runId);
    expect(await run('cancel', runId)).toEqual({ code: 0, stdout: '', stderr: `cancelled ${runId}\n` });
    expect(await tailing).toEqual({ code: 1, stdout: '', stderr: `  0%\nsluice: ${runId}: the run was cancelled (cancelled)\n` });
    expect(await run('cancel', runId)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sluice: the run has already ended and cannot be cancelled (conflict)\n',
    });

    gates.open('run1');
    const replayed = await run('replay', runId);
    const newRun = replayed.stdout.trim();
    expect(replayed).toEqual({ code: 0, stdout: `${newRun}\n`, stderr: `"sluice run tail ${newRun}" shows it\n` });
    expect(newRun).not.toBe(runId);
    expect(await run('tail', newRun)).toEqual({ code: 0, stdout: '{\n  "done": true\n}\n', stderr: '  0%\n100%\n' });
  });

  test('need the token of the administrator, save that tail takes that of the sink', async () => {
    await app().sink({ path: '/locked', workflow_id: 'greet', auth_token: 'open-sesame' });
    const { runId } = await createClient({ url: app().url, token: 'open-sesame' }).trigger('/shop/locked?who=Bob');
    const asSink = { environment: { SLUICE_URL: app().url } };
    expect(await sluice(['run', 'tail', runId, '--token', 'open-sesame'], asSink)).toMatchObject({
      code: 0,
      stdout: '{\n  "hello": "Bob"\n}\n',
    });
    const wrong = await sluice(['run', 'get', runId, '--token', 'open-sesame'], asSink);
    expect(wrong.stderr).toBe(
      'sluice: the token is wrong, or the header is not "Authorization: Bearer <token>"; give it with --token (unauthorized)\n',
    );
  });
});
