// `sluice send --payload`: what is made of the flags, what is sent of the sample, one or many.

import { describe, expect, test } from 'vitest';
import { sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const SOURCES = ['robovision', 'v7', 'roboflow'];

const app = shareApp({}, async (shared) => {
  await shared.workflow('echo', { outputs: [{ type: 'JsonField', name: 'payload', selector: '$request.payload' }] });
  for (const payload of SOURCES) await shared.sink({ path: `/${payload}`, workflow_id: 'echo', payload });
});

async function sendSample(kind: string, flags: string[] = [], sink = `${app().url}/shop/${kind.split(':')[0]}`): Promise<string> {
  const { code, stdout, stderr } = await sluice(['send', sink, '--payload', kind, ...flags]);
  expect(code, stderr).toBe(0);
  return stdout;
}

const KINDS = [
  'robovision:object-detection',
  'robovision:image-classification',
  'robovision:multilabel-classification',
  'robovision:instance-segmentation',
  'robovision:semantic-segmentation',
  'v7:stage',
  'v7:legacy-stage',
  'v7:workflow-complete',
  'roboflow:json',
  'roboflow:form',
  'roboflow:multipart',
];

describe('a sample', () => {
  test.each(KINDS)('of %s is taken by a sink of its platform, as what it is', async (kind) => {
    const { payload } = JSON.parse(await sendSample(kind));
    expect(payload.kind).toBe(kind.replace(':', '.').replaceAll('-', '_'));
    expect(payload.predictions.length).toBeGreaterThan(0);
  });

  test('is made as the flags say', async () => {
    const flags = ['--seed', '7', '--objects', '5', '--size', '320x200'];
    const { payload } = JSON.parse(await sendSample('robovision:instance-segmentation', flags));
    expect(payload).toMatchObject({ item: { width: 320, height: 200 }, image: { filename: 'image.jpeg' } });
    expect(payload.masks).toHaveLength(5);
    expect(JSON.parse(await sendSample('robovision:object-detection', ['--no-image'])).payload.image).toBeNull();
    expect(JSON.parse(await sendSample('v7:stage', ['--no-annotations'])).payload.has_annotations).toBe(false);
  });

  test('is the same bytes for the same seed', async () => {
    const { url, arrivals } = await startWebhookReceiver();
    for (const seed of ['5', '5', '6']) await sendSample('roboflow:multipart', ['--seed', seed, '--count', '1'], url);
    const [one, same, other] = arrivals.map(({ body, headers }) => [headers['content-type'], body]);
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

test('of many samples each has the next seed', async () => {
  const { url, arrivals } = await startWebhookReceiver();
  const sent = await sendSample('v7:workflow-complete', ['--seed', '40', '--count', '3'], url);
  expect(sent).toMatch(/^sent {6}3\naccepted {2}3\n/);
  for (const seed of ['42', '40', '41']) await sendSample('v7:workflow-complete', ['--seed', seed, '--count', '1'], url);
  expect(new Set(arrivals.map(({ body }) => body)).size).toBe(3);
});

describe('flags that cannot be meant are refused with what would be right', () => {
  const KNOWN = [
    'known are robovision:object-detection, robovision:image-classification, robovision:multilabel-classification,',
    'robovision:instance-segmentation, robovision:semantic-segmentation, v7:stage, v7:legacy-stage, v7:workflow-complete,',
    'roboflow:json, roboflow:form, roboflow:multipart',
  ].join(' ');
  const cases: [args: string[], message: string][] = [
    [
      ['--payload', 'robovision:instance-segmentaton'],
      `--payload "robovision:instance-segmentaton" is not known; did you mean robovision:instance-segmentation?\nsluice: ${KNOWN}`,
    ],
    [['--payload', 'something'], `--payload "something" is not known\nsluice: ${KNOWN}`],
    [['--payload', 'v7:stage', '--size', '640'], '--size "640": write it as width x height, such as 640x480'],
    [['--payload', 'v7:stage', '--size', '15x100'], '--size "15": must be a whole number from 16 to 8,192'],
    [['--payload', 'v7:stage', '--size', '100x8193'], '--size "8193": must be a whole number from 16 to 8,192'],
    [['--payload', 'v7:stage', '--seed', '-1'], '--seed "-1": must be a whole number from 0 to 2,147,483,648'],
    [['--payload', 'v7:stage', '--objects', 'many'], '--objects "many": must be a whole number from 0 to 1,000'],
    [['--payload', 'v7:stage', '--json', '{}'], '--payload creates the whole body; leave out --data, --json, --form and --file'],
    [['--seed', '1'], '--seed is an option of --payload; give both'],
    [['--no-image'], '--no-image is an option of --payload; give both'],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      expect(await sluice(['send', 'shop/echo', ...args])).toEqual({ code: 2, stdout: '', stderr: `sluice: ${message}\n` });
    });
  }
});
