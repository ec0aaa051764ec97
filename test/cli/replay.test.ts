// `sluice run replay` and `sluice job`: one run in each mode, many runs as a job, and the question before it.

import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { adminOf, type CliOptions, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

let sinkId = '';
const app = shareApp({}, async (shared) => {
  await shared.workflow('greet', {
    steps: [{ type: 'sluice/set@v1', name: 'greet', values: { to: '$request.body.who' } }],
    outputs: [{ type: 'JsonField', name: 'hello', selector: '$steps.greet.to' }],
  });
  sinkId = (await shared.sink({ path: '/greet', workflow_id: 'greet' })).id;
});

const run = (args: string[], options: CliOptions = {}): Promise<CliResult> => sluice(args, { environment: adminOf(app()), ...options });

async function trigger(): Promise<string> {
  const request = { headers: { 'content-type': 'application/json' }, body: '{"who":"Ada"}' };
  const { runId, events } = await createClient({ url: app().url }).trigger('/shop/greet', request);
  for await (const _event of events);
  return runId;
}

describe('run replay with an id', () => {
  test('takes a mode and a version, follows the new run, and marks a dry one in lists', async () => {
    const runId = await trigger();
    const followed = await run(['run', 'replay', runId, '--mode', 'dry', '--version', 'original', '--follow']);
    expect(followed).toMatchObject({ code: 0, stdout: '{\n  "hello": "Ada"\n}\n' });
    const newRun = /run_\w+/.exec(followed.stderr)?.[0] as string;
    expect((await run(['run', 'get', newRun])).stdout).toContain(`replay    of ${runId}, dry\n`);
    expect((await run(['run', 'list', '--limit', '1'])).stdout).toMatch(new RegExp(`${newRun} +completed \\(dry\\)`));
    const refused = await run(['run', 'replay', runId, '--mode', 'from-failed-step']);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no failed step') });
  });

  test('refuses what does not fit together, and unknown values, with exit code 2', async () => {
    const wrong: [string[], string][] = [
      [[], 'give the id of a run, or --app'],
      [['run_1', '--sink', 's'], 'either the id of a run, or options'],
      [['run_1', '--rate', '5'], 'either the id of a run, or options'],
      [['--sink', 's', '--follow'], '--follow watches one run'],
      [['run_1', '--mode', 'wet'], '--mode'],
      [['run_1', '--version', '7'], '--version'],
      [['--status', 'waiting'], '--status'],
      [['--sink', 's', '--rate', '0', '--yes'], '--rate "0": must be a whole number from 1 to 1,000'],
    ];
    for (const [args, reason] of wrong)
      expect(await run(['run', 'replay', ...args]), args.join(' ')).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) });
  });
});

describe('run replay with a filter', () => {
  test('says how many runs match and asks; without a yes it does nothing', async () => {
    await trigger();
    for (const stdin of ['', 'n\n', 'yellow\n', '\n'])
      expect(await run(['run', 'replay', '--sink', sinkId, '--status', 'completed'], { stdin })).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^replay \d+ runs? \(live\)\? \[y\/N\] sluice: nothing was done/),
      });
    expect((await app().admin('GET', '/jobs')).body.jobs).toEqual([]);
    expect(await run(['run', 'replay', '--sink', 'snk_none'])).toEqual({ code: 0, stdout: '', stderr: 'no runs match\n' });
  });

  test('starts a job after a yes, or with --yes, which job list, show and cancel find', async () => {
    await trigger();
    const asked = await run(['run', 'replay', '--sink', sinkId, '--rate', '1000', '--mode', 'dry'], { stdin: 'y\n' });
    const jobId = asked.stdout.trim();
    expect(asked).toMatchObject({ code: 0, stderr: expect.stringContaining(`"sluice job show ${jobId}"`) });
    await until('the job to end', async () => (await app().admin('GET', `/jobs/${jobId}`)).body.status === 'completed');
    const shown = await run(['job', 'show', jobId]);
    expect(shown.stdout).toMatch(/^job {7}job_\w+\nstatus {4}completed\naction {4}replay, dry, current version, 1000 a second\n/);
    expect(JSON.parse((await run(['job', 'show', jobId, '-o', 'json'])).stdout)).toMatchObject({ job_id: jobId, mode: 'dry' });
    const slow = (await run(['run', 'replay', '--app', 'shop', '--rate', '1', '--yes'])).stdout.trim();
    expect((await run(['job', 'list'])).stdout.split('\n')).toEqual([
      expect.stringMatching(/^JOB +STATUS +MODE +MATCHED +REPLAYED +FAILED +SKIPPED +CREATED$/),
      expect.stringContaining(slow),
      expect.stringContaining(jobId),
      '',
    ]);
    expect(await run(['job', 'cancel', slow])).toEqual({ code: 0, stdout: '', stderr: `cancelled ${slow}\n` });
    expect(await run(['job', 'cancel', slow])).toMatchObject({ code: 1, stderr: expect.stringContaining('already ended') });
    expect((await run(['job', 'list', '--status', 'cancelled', '--limit', '1'])).stdout).toContain(slow);
    for (const args of [
      ['list', '--limit', '0'],
      ['list', '--cursor', 'x'],
      ['list', '--status', 'done'],
    ])
      expect((await run(['job', ...args])).code).toBe(2);
    expect(await run(['job', 'show', 'job_none'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no such job') });
  });
});
