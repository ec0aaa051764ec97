// `sluice send --payload`: what is made of the flags, what is sent of the sample, one or many.

import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { MakeSample, Sample, SampleOptions } from '../../src/cli/samples.ts';
import { define } from '../../src/cli/send.ts';
import { recordingIo, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const app = shareApp({}, async (shared) => {
  const outputs = ['body', 'files', 'content_type'].map((name) => ({ type: 'JsonField', name, selector: `$request.${name}` }));
  await shared.workflow('echo', { outputs });
  await shared.sink({ path: '/echo', workflow_id: 'echo' });
});

/** Stands for the real maker: what was asked for, in the form that the kind has. */
const makeSample: MakeSample = (kind, options): Sample => {
  const bytes = Buffer.from(JSON.stringify({ kind, ...options }));
  if (kind === 'roboflow:form') return { contentType: 'application/x-www-form-urlencoded', parts: [], body: Buffer.from('a=1') };
  if (kind.startsWith('v7:')) return { contentType: 'application/json', parts: [], body: bytes };
  return {
    contentType: 'multipart/form-data',
    parts: [
      { name: 'image', filename: 'frame "1".jpg', content_type: 'image/jpeg', bytes: Buffer.from([0xff, 0xd8, 0, 1]) },
      { name: 'predictions', filename: null, content_type: 'application/json', bytes },
    ],
  };
};

async function sendSample(args: string[], sink = `${app().url}/shop/echo`): Promise<{ stdout: string; asked: SampleOptions[] }> {
  const asked: SampleOptions[] = [];
  const { io, printed } = recordingIo();
  const command = new Command('send').exitOverride();
  define(command, { io, environment: {} }, async () => (kind, options) => {
    asked.push(options);
    return makeSample(kind, options);
  });
  await command.parseAsync([sink, ...args], { from: 'user' });
  return { stdout: printed.stdout, asked };
}

describe('a sample', () => {
  test('is sent as the form that it is, its run is watched', async () => {
    const { stdout } = await sendSample(['--payload', 'robovision:instance-segmentation']);
    expect(JSON.parse(stdout)).toMatchObject({
      body: { predictions: { kind: 'robovision:instance-segmentation', seed: 1, objects: 3, width: 640, height: 480 } },
      files: [{ name: 'image', filename: 'frame %221%22.jpg', content_type: 'image/jpeg', size: 4 }],
      content_type: 'multipart/form-data',
    });
  });

  test('is sent as JSON or as a form where it is one', async () => {
    expect(JSON.parse((await sendSample(['--payload', 'v7:stage'])).stdout)).toMatchObject({ body: { kind: 'v7:stage', image: true } });
    expect(JSON.parse((await sendSample(['--payload', 'roboflow:form'])).stdout)).toMatchObject({ body: { a: '1' } });
  });

  test('is made as the flags say', async () => {
    const flags = ['--seed', '7', '--objects', '12', '--size', '1920x1080', '--no-image', '--no-annotations'];
    const { asked } = await sendSample(['--payload', 'v7:legacy-stage', ...flags]);
    expect(asked[0]).toEqual({ seed: 7, objects: 12, image: false, annotations: false, width: 1920, height: 1080 });
  });

  test('is the same bytes for the same seed', async () => {
    const { url, arrivals } = await startWebhookReceiver();
    for (const seed of ['5', '5', '6']) await sendSample(['--payload', 'roboflow:multipart', '--seed', seed, '--count', '1'], url);
    const [one, same, other] = arrivals.map(({ body, headers }) => [headers['content-type'], body]);
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

test('of many samples each has the next seed', async () => {
  const { stdout, asked } = await sendSample(['--payload', 'v7:workflow-complete', '--seed', '40', '--count', '5']);
  expect(stdout).toMatch(/^sent {6}5\naccepted {2}5\n/);
  expect(new Set(asked.map(({ seed }) => seed))).toEqual(new Set([40, 41, 42, 43, 44]));
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
    [['--payload', 'v7:stage', '--size', '640'], '--size "640": write it as width x height, as 640x480'],
    [['--payload', 'v7:stage', '--size', '15x100'], '--size "15": give a whole number from 16 to 8,192'],
    [['--payload', 'v7:stage', '--size', '100x8193'], '--size "8193": give a whole number from 16 to 8,192'],
    [['--payload', 'v7:stage', '--seed', '-1'], '--seed "-1": give a whole number from 0 to 2,147,483,648'],
    [['--payload', 'v7:stage', '--objects', 'many'], '--objects "many": give a whole number from 0 to 1,000'],
    [['--payload', 'v7:stage', '--json', '{}'], '--payload makes the whole body; leave out --data, --json, --form and --file'],
    [['--seed', '1'], '--seed says how a sample is made; give --payload with it'],
    [['--no-image'], '--no-image says how a sample is made; give --payload with it'],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      expect(await sluice(['send', 'shop/echo', ...args])).toEqual({ code: 2, stdout: '', stderr: `sluice: ${message}\n` });
    });
  }
});
