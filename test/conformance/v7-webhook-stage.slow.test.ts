// The Webhook Stage document, sentence by sentence: each title quotes what it proves, an HTTP request starts the run, and
// a receiver looks at what arrives.

import { describe, expect, test } from 'vitest';
import { eventsOf, getRun, reaches, set, stepOf } from '../engine/run-support.ts';
import { payload, prediction } from '../steps/payloads.ts';
import { draw } from '../steps/v7/draw.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const OPTIONS = {
  settings: { outbound_allow: '127.0.0.0/8', secrets_allow: 'V7_TOKEN' },
  environment: { V7_TOKEN: 'ApiKey 1234567.secret' },
};
const app = shareApp(OPTIONS);

/** Bytes that no writer of JSON would write so, and an id that is no JavaScript number. */
const DOCUMENT = '{ "version": "2.0",\n\t"item": {"name": "caf\\u00e9 é", "id": 12345678901234567890, "score": 1.0},  "annotations": [ ] }';
const FAST = { base_seconds: 0, max_seconds: 0 };

/** The typed payload of the received document, as the sink would make it, and the stage that it goes through. */
function workflow(stage: Record<string, unknown>, others: object[] = []): Record<string, unknown> {
  const typed = payload([prediction()], { metadata: { version: '2.0' } });
  return {
    steps: [
      set('intake', { payload: { ...typed, document: '$request.files.0' } }),
      { type: 'v7/webhook_stage@v1', name: 'hook', payload: '$steps.intake.payload', ...stage },
      ...others,
    ],
  };
}

let count = 0;

/** A run of the workflow that was sent the document, once it has ended. */
async function runOf(definition: Record<string, unknown>, status = 'completed', to: TestApp = app()): Promise<any> {
  count += 1;
  const id = `stage-${count}`;
  await to.workflow(id, definition);
  await to.sink({ path: `/${id}`, workflow_id: id, response: 'accept' });
  const body = new FormData();
  body.append('document', new Blob([DOCUMENT], { type: 'application/json' }), 'document.json');
  const answer = await fetch(`${to.url}/shop/${id}`, { method: 'POST', body });
  const { run_id: runId } = (await answer.json()) as { run_id: string };
  return await reaches(to, runId, status);
}

const hookOf = async (run: any): Promise<any> => (await stepOf(app(), run.run_id, 'hook')).outputs;
const stepsOf = async (run: any): Promise<Record<string, string>> =>
  Object.fromEntries((await getRun(app(), run.run_id)).steps.map((step: any) => [step.step, step.status]));

/** Answers what it is told, one after the other, and the last from then on. */
function receiverThat(...statuses: number[]): Promise<WebhookReceiver> {
  let answered = 0;
  return startWebhookReceiver({ status: () => statuses[Math.min(answered++, statuses.length - 1)] as number, body: 'seen' });
}

describe('"fire off a payload containing file metadata and annotation data with each file"', () => {
  test('the document leaves byte for byte as it came', async () => {
    const receiver = await receiverThat(200);
    const run = await runOf(workflow({ url: receiver.url }));
    expect(receiver.arrivals.map(({ body }) => body)).toEqual([DOCUMENT]);
    expect(receiver.arrivals[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': `${Buffer.byteLength(DOCUMENT)}`,
    });
    expect(await hookOf(run)).toMatchObject({
      success: true,
      status_code: 200,
      response_body: 'seen',
      delivery_id: expect.stringMatching(/^dlv_/),
    });
  });

  test('"or just the file metadata"', async () => {
    const receiver = await receiverThat(200);
    await runOf(workflow({ url: receiver.url, include_annotations: false }));
    expect(receiver.arrivals.map(({ body }) => body)).toEqual(['{"version":"2.0"}']);
  });

  test('"or just the file metadata", through a sink for V7 and with its numbers as they came', async () => {
    const receiver = await receiverThat(200);
    await app().workflow('metadata', {
      steps: [{ type: 'v7/webhook_stage@v1', name: 'hook', url: receiver.url, include_annotations: false }],
    });
    await app().sink({ path: '/metadata', workflow_id: 'metadata', response: 'wait', payload: 'v7' });
    const body = '{"version":"2.0","item":{"name":"a","id":12345678901234567890,"scale":1.0},"annotations":[{"name":"cat","tag":{}}]}';
    await fetch(`${app().url}/shop/metadata`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(receiver.arrivals.map((arrival) => arrival.body)).toEqual([
      '{"version":"2.0","item":{"name":"a","id":12345678901234567890,"scale":1.0}}',
    ]);
  });

  test('"you can include additional information … by adding custom link parameters"', async () => {
    const receiver = await receiverThat(200);
    await runOf(workflow({ url: `${receiver.url}?target=a%20b&x=1+2&x=é&empty=` }));
    expect(receiver.arrivals[0]?.target).toBe('/hook?target=a%20b&x=1+2&x=%C3%A9&empty=');
  });
});

describe('"optional authorisation header if required"', () => {
  test('leaves as it was typed, and none where none was', async () => {
    const receiver = await receiverThat(200);
    await runOf(workflow({ url: receiver.url, authorization_header: 'just-this 1' }));
    await runOf(workflow({ url: receiver.url }));
    expect(receiver.arrivals.map(({ headers }) => headers['authorization'])).toEqual(['just-this 1', undefined]);
  });

  test('may be a secret, which is seen by the receiver and nobody else', async () => {
    const receiver = await receiverThat(200);
    const store = { type: 'roboflow_core/environment_secrets_store@v1', name: 'secrets', variables_storing_secrets: ['V7_TOKEN'] };
    const run = await runOf(workflow({ url: receiver.url, authorization_header: '$steps.secrets.v7_token' }, [store]));
    expect(receiver.arrivals[0]?.headers['authorization']).toBe('ApiKey 1234567.secret');
    expect(JSON.stringify(await getRun(app(), run.run_id))).not.toContain('1234567.secret');
  });
});

describe('"By default, webhooks will be retried 5 times before they fail"', () => {
  const ways = { on_success: ['$steps.passed'], on_failure: ['$steps.parked'] };
  const steps = [set('passed', { to: 'review' }), set('parked', { to: 'failed' })];

  test('a receiver that fails five times and then answers has it on the sixth', { timeout: 20_000 }, async () => {
    const receiver = await receiverThat(500, 404, 413, 302, 503, 201);
    const run = await runOf(workflow({ url: receiver.url, retry: FAST, ...ways }, steps));
    expect(receiver.arrivals).toHaveLength(6);
    expect(new Set(receiver.arrivals.map(({ body }) => body))).toEqual(new Set([DOCUMENT]));
    expect(await hookOf(run)).toMatchObject({ success: true, status_code: 201 });
    expect(await stepsOf(run)).toMatchObject({ passed: 'completed', parked: 'skipped' });
  });

  test('"If they fail, they can be sent to … a unique stage": the way of failure, after the sixth', { timeout: 20_000 }, async () => {
    const receiver = await receiverThat(404);
    const run = await runOf(workflow({ url: receiver.url, retry: FAST, ...ways }, steps));
    expect(receiver.arrivals).toHaveLength(6);
    expect(await hookOf(run)).toMatchObject({ success: false, status_code: 404 });
    expect(await stepsOf(run)).toMatchObject({ passed: 'skipped', parked: 'completed' });
  });

  test('or once, where it is said so; without a way of failure the run fails', async () => {
    const receiver = await receiverThat(500);
    const run = await runOf(workflow({ url: receiver.url, retry_if_fails: false }), 'failed');
    expect(receiver.arrivals).toHaveLength(1);
    expect(run.error).toEqual({ code: 'delivery_failed', message: 'the receiver answered 500 Internal Server Error', step: 'hook' });
  });

  test('steps that only use what it says run as always, and those of a way only by it', async () => {
    const receiver = await receiverThat(200);
    const others = [set('parked', { to: 'failed' }), set('noted', { status: '$steps.hook.status_code' })];
    const run = await runOf(workflow({ url: receiver.url, on_failure: ['$steps.parked'] }, others));
    expect(await stepsOf(run)).toMatchObject({ parked: 'skipped', noted: 'completed' });
  });

  describe('"sent to a previous stage"', () => {
    const back = { retry_if_fails: false, on_failure: ['$steps.intake'], on_success: ['$steps.passed'] };
    const again = (maxVisits: number, stage: Record<string, unknown>): Record<string, unknown> => {
      const definition = workflow(stage, [set('passed', { to: 'review' })]);
      const [intake, ...others] = definition['steps'] as object[];
      return { steps: [{ ...intake, max_visits: maxVisits }, ...others] };
    };

    test('the item comes by again, and goes on where it then succeeds', async () => {
      const receiver = await receiverThat(500, 200);
      const run = await runOf(again(6, { url: receiver.url, ...back }));
      const { steps } = await getRun(app(), run.run_id);
      const visits = steps.filter(({ step }: any) => step === 'hook').map(({ visit, outputs }: any) => [visit, outputs.status_code]);
      expect(visits).toEqual([
        [1, 500],
        [2, 200],
      ]);
      expect(receiver.arrivals.map(({ key }) => key)).toEqual([`${run.run_id}:hook`, `${run.run_id}:hook:2`]);
      expect(await stepsOf(run)).toMatchObject({ passed: 'completed' });
    });

    test('the loop ends at its cap, and every visit is on record', async () => {
      const receiver = await receiverThat(500);
      const run = await runOf(again(3, { url: receiver.url, ...back }), 'failed');
      expect(receiver.arrivals.map(({ key }) => key)).toEqual(['', ':2', ':3'].map((visit) => `${run.run_id}:hook${visit}`));
      expect(run.error).toEqual({
        code: 'too_many_visits',
        message: 'step "intake" may be visited 3 times (max_visits), and step "hook" sent the run back to it once more',
        step: 'intake',
      });
      const told = (await eventsOf(app(), run.run_id)).map(({ data }) => (data as { message?: string }).message);
      expect(told.filter((message) => message?.startsWith('back to'))).toEqual(
        [2, 3].map((visit) => `back to intake, visit ${visit} of 3`),
      );
    });
  });

  test('nobody there is a failure as well', async () => {
    const receiver = await receiverThat(200);
    await receiver.goAway();
    const run = await runOf(workflow({ url: receiver.url, retry_if_fails: false, ...ways }, steps));
    expect(await hookOf(run)).toMatchObject({ success: false, status_code: null, response_body: null });
    expect(await stepsOf(run)).toMatchObject({ parked: 'completed' });
  });
});

describe('with the stages around it', () => {
  const typed = (...predictions: Parameters<typeof prediction>[0][]): object => ({
    ...payload(predictions.map(prediction)),
    document: '$request.files.0',
  });

  test('"add a tag, like “Difficult” or “Urgent” and use it to route items that need to be reviewed"', async () => {
    const receiver = await receiverThat(200);
    const rules = [{ when: { tags: { is_any_of: ['Difficult', 'Urgent'] } }, next_steps: ['$steps.hook'] }];
    const route = (...predictions: Parameters<typeof typed>) => ({
      steps: [
        set('intake', { payload: typed(...predictions) }),
        { type: 'v7/logic_stage@v1', name: 'route', payload: '$steps.intake.payload', rules, else: ['$steps.done'] },
        { type: 'v7/webhook_stage@v1', name: 'hook', url: receiver.url, payload: '$steps.intake.payload' },
        set('done', { all: true }),
      ],
    });
    const urgent = await runOf(route({ class: 'Urgent', type: 'tag' }));
    expect(await stepsOf(urgent)).toMatchObject({ hook: 'completed', done: 'skipped' });
    const plain = await runOf(route({ class: 'Urgent', type: 'polygon' }));
    expect(await stepsOf(plain)).toMatchObject({ hook: 'skipped', done: 'completed' });
    expect(receiver.arrivals).toHaveLength(1);
  });

  test('"If the agreement level … falls below a specified IoU threshold, a complete JSON can be retrieved"', async () => {
    const receiver = await receiverThat(200);
    const by = (email: string, x: number) => ({
      bounding_box: { x, y: 0, width: 10, height: 10 },
      annotators: [{ email, full_name: null }],
    });
    const compare = (x: number) => ({
      steps: [
        set('intake', { payload: typed(by('human@x.org', 0), by('model@x.org', x)) }),
        {
          type: 'v7/consensus_stage@v1',
          name: 'compare',
          payload: '$steps.intake.payload',
          split_by: 'annotator',
          parallel_stages: [{ name: 'human@x.org' }, { name: 'model@x.org' }],
          champion_stage: 'human@x.org',
          threshold: 0.9,
          on_disagreement: ['$steps.hook'],
        },
        { type: 'v7/webhook_stage@v1', name: 'hook', url: receiver.url, payload: '$steps.intake.payload' },
      ],
    });
    expect(await stepsOf(await runOf(compare(0.2)))).toMatchObject({ compare: 'completed', hook: 'skipped' });
    expect(await stepsOf(await runOf(compare(5)))).toMatchObject({ compare: 'completed', hook: 'completed' });
    expect(receiver.arrivals.map(({ body }) => body)).toEqual([DOCUMENT]);
  });

  test('"only 5% of annotated images will be passed to a webhook stage"', async () => {
    const receiver = await receiverThat(200);
    const manifest = { edges: [{ percent: 5, next_steps: ['$steps.hook'] }] };
    const sample = { type: 'v7/sampling_stage@v1', name: 'sample', ...manifest };
    const hook = { type: 'v7/webhook_stage@v1', name: 'hook', url: receiver.url, payload: { picked: true } };
    await app().workflow('sampled', { steps: [sample, hook] });
    await app().sink({ path: '/sampled', workflow_id: 'sampled', response: 'accept' });
    const runIds = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await fetch(`${app().url}/shop/sampled`, { method: 'POST' });
        return ((await answer.json()) as { run_id: string }).run_id;
      }),
    );
    for (const runId of runIds) await reaches(app(), runId, 'completed');
    const picked = runIds.filter((runId) => draw(manifest, runId).chosen?.includes('hook') === true);
    expect(receiver.arrivals.map(({ key }) => key).sort()).toEqual(picked.map((runId) => `${runId}:hook`).sort());
    // Of 200, 10 are meant; 40 would be as good as impossible.
    expect(picked.length).toBeLessThan(40);
  });
});

test('a server that starts again knows the stages of its runs, and draws what the one before would have drawn', async () => {
  const dataDir = tempDir();
  const first = await startTestApp({ ...OPTIONS, dataDir });
  const manifest = { edges: [{ percent: 50, next_steps: ['$steps.a'] }], else: ['$steps.b'] };
  const pause = { type: 'sluice/delay@v1', name: 'pause', seconds: 60, next_steps: ['$steps.sample'] };
  const steps = [pause, { type: 'v7/sampling_stage@v1', name: 'sample', ...manifest }, set('a', {}), set('b', {})];
  const { run_id: runId } = await runOf({ steps }, 'waiting', first);
  await first.close();
  const second = await startTestApp({ ...OPTIONS, dataDir, clock: () => Date.now() + 120_000 });
  const run = await reaches(second, runId, 'completed');
  expect(run.steps.find(({ step }: any) => step === 'sample').outputs).toEqual(draw(manifest, runId).outputs);
});
