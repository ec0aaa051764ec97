// The examples of docs/payloads.md are read as the kinds that the page names, and its refusals are real.

import { expect, test } from 'vitest';
import type { PayloadSource } from '../../src/core/sink/sink.ts';
import { isPayloadFault } from '../../src/payloads/format.ts';
import type { Payload } from '../../src/payloads/payload.ts';
import { makeSample, sampleKinds } from '../../src/payloads/samples/index.ts';
import { textBytes } from '../../src/payloads/samples/sample.ts';
import { blocksOf, readDocument } from '../docs/markdown.ts';
import { readPayload, takeApart, takeBody, takeParts } from './intake.ts';

const markdown = readDocument('docs/payloads.md');
const examples = blocksOf(markdown).filter(({ options }) => options.has('payload'));

/** Adds the mask files that a Robovision document names, from a sample. */
function readExample(said: string, text: string): Payload {
  const source = said.split('.')[0] as PayloadSource;
  const sample = makeSample('robovision.instance_segmentation');
  const parts = sample.contentType === 'multipart/form-data' ? sample.parts : [];
  const masks = parts.filter(({ filename }) => filename !== null && text.includes(filename));
  const predictions = { name: 'predictions', filename: 'predictions.json', contentType: 'application/json', bytes: textBytes(text) };
  const form = takeApart({ contentType: 'application/x-www-form-urlencoded', body: textBytes(text) });
  const taken = source === 'robovision' ? takeParts([predictions, ...masks]) : said === 'roboflow.form' ? form : takeBody(text);
  const payload = readPayload(source, taken);
  return isPayloadFault(payload) ? expect.fail(`${payload.part}: ${payload.message}`) : payload;
}

test.each(examples.map(({ text, line, options }) => [line, options.get('payload') as string, text] as const))(
  'the example on line %i is read as %s, with predictions',
  (_line, said, text) => {
    const payload = readExample(said, text);
    expect(payload.kind).toContain(said);
    expect(payload.predictions).not.toEqual([]);
  },
);

test('every kind except the multipart form of Roboflow has an example', () => {
  const kinds = new Set(examples.map(({ text, options }) => readExample(options.get('payload') as string, text).kind));
  expect(sampleKinds.filter((kind) => !kinds.has(kind))).toEqual(['roboflow.multipart']);
});

test('the page names every kind and every field of the typed form', () => {
  const taken = takeApart(makeSample('robovision.instance_segmentation'));
  const payload = readPayload('robovision', taken) as Payload;
  const fields = [payload, payload.item, payload.predictions[0], payload.masks[0]].flatMap((part) => Object.keys(part as object));
  expect([...sampleKinds, ...fields].filter((name) => !markdown.includes(`\`${name}\``))).toEqual([]);
});

test.each(
  blocksOf(markdown)
    .filter(({ language }) => language === 'text')
    .flatMap(({ text }) => text.split('\n')),
)('the documented refusal "%s" is a text that a format gives', (line) => {
  const shape = (text: string): string => text.replaceAll(/\d+/g, 'N');
  expect(refusals().map(shape)).toContain(shape(line));
});

function refusals(): string[] {
  const sample = makeSample('robovision.instance_segmentation', { width: 640 });
  const parts = sample.contentType === 'multipart/form-data' ? sample.parts : [];
  const box = { classId: 'a', boundingBox: { x: 1, y: 1, width: -5, height: 1 } };
  const cut = parts.map((part) => (part.name === 'image' ? { ...part, bytes: part.bytes.subarray(0, 4096) } : part));
  const results = [
    readPayload('robovision', takeParts(parts.filter(({ name }) => name !== 'mask_0001'))),
    readPayload(
      'robovision',
      takeParts([{ name: 'predictions', filename: null, contentType: null, bytes: textBytes(JSON.stringify({ objects: [box] })) }]),
    ),
    readPayload('robovision', takeParts(cut)),
    readPayload('v7', takeBody('{"item":{},"annotations":[{}]}')),
  ];
  return results.map((result) => (isPayloadFault(result) ? `${result.part}: ${result.message}` : 'no fault'));
}
