// Documents of an attacker or a broken program: every format refuses them with a fault that names the part.

import { describe, expect, test } from 'vitest';
import type { PayloadSource } from '../../src/core/sink/sink.ts';
import { makeSample, type SampleKind } from '../../src/payloads/samples/index.ts';
import { textBytes } from '../../src/payloads/samples/sample.ts';
import { faultOf, payloadOf, type Taken, takeBody, takeParts } from './intake.ts';

function asDocument(source: PayloadSource, bytes: Uint8Array): Taken {
  const part = { name: 'predictions', filename: 'predictions.json', contentType: 'application/json', bytes };
  return source === 'robovision' ? takeParts([part]) : takeBody(bytes);
}

const HOSTILE: [string, Uint8Array, RegExp][] = [
  ['no bytes', textBytes(''), /is empty; it must be a JSON document$/],
  ['a million brackets', textBytes('['.repeat(1_000_000)), /nests deeper than 100 levels$/],
  ['deep objects', textBytes(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`), /nests deeper than 100 levels$/],
  ['five million values', textBytes(`[${'0,'.repeat(5_000_000)}0]`), /has more than 4200000 values, not counting masks and outlines$/],
  ['a poisoned prototype', textBytes('{"item":{"__proto__":{"x":1}}}'), /holds a key "__proto__", which is not allowed$/],
  ['a prototype behind an escape', textBytes('{"\\u005f_proto__":1}'), /holds a key "__proto__", which is not allowed$/],
  ['NaN', textBytes('{"classId":"a","confidence":NaN}'), /is not valid JSON: Unexpected token/],
  ['half a document', textBytes('{"item":{"name":"a'), /is not valid JSON: /],
  ['two documents', textBytes('{}{}'), /is not valid JSON: /],
  ['Latin-1', Uint8Array.of(0x22, 0xe9, 0x22), /is not UTF-8, which JSON must be$/],
  ['UTF-16', Buffer.from('{"item":{}}', 'utf16le'), /is not valid JSON: /],
  ['control characters', textBytes('{"a":"\u0001\u001b[31m"}'), /is not valid JSON: \P{Cc}*$/u],
];

describe.each<PayloadSource>(['robovision', 'v7', 'roboflow'])('%s', (source) => {
  test.each(HOSTILE)(`${source} refuses %s`, (_title, bytes, expected) => {
    const message = faultOf(source, asDocument(source, bytes));
    expect(message).toMatch(expected);
    expect(message).toMatch(source === 'robovision' ? /^predictions / : /^body /);
    expect(message.length).toBeLessThan(200);
  });
});

const JSON_SAMPLES: SampleKind[] = ['v7.stage', 'v7.legacy_stage', 'v7.workflow_complete', 'roboflow.json'];

test.each(JSON_SAMPLES)('a byte order mark before the sample %s is accepted', (kind) => {
  const sample = makeSample(kind);
  if (sample.contentType === 'multipart/form-data') return expect.fail('no JSON sample');
  const marked = Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), sample.body]);
  expect(payloadOf(kind.split('.')[0] as PayloadSource, takeBody(marked)).kind).toBe(kind);
});

test('a document of a hundred levels is accepted, and brackets inside strings do not count as levels', () => {
  const nested = `${'['.repeat(97)}${']'.repeat(97)}`;
  const text = JSON.stringify(`\\"${'['.repeat(500)}`);
  expect(payloadOf('v7', takeBody(`{"item":{"name":${text}},"x":{"y":${nested}}}`)).item.name).toMatch(/^\\"\[/);
});

test.each(['1e999', '-1e999', '1e10', 'null', '"5"', 'true', '[]'])('%s is refused as a coordinate of a box', (number) => {
  const body = `{"item":{},"annotations":[{"name":"a","bounding_box":{"x":${number},"y":0,"w":1,"h":1}}]}`;
  expect(faultOf('v7', takeBody(body))).toMatch(
    /^body\.annotations\[0\]\.bounding_box\.x must be a number from -1000000000 to 1000000000; got /,
  );
});

test('a fault does not repeat a long key of the document', () => {
  const key = 'k'.repeat(5_000);
  const fault = faultOf('v7', takeBody(JSON.stringify({ item: {}, annotations: [{ name: [key], [key]: {} }] })));
  expect(fault).toBe('body.annotations[0].name must be the name of a class; got a list');
});
