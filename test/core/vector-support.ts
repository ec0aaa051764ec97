// Reads the recorded cases of the query language and compares results with those of Python.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { parseJson } from '../../src/core/json/json.ts';
import { isEqual } from '../../src/core/python/equality.ts';
import { isDict, kindOf } from '../../src/core/python/kind.ts';
import { type Images, ImagesWanted, unloadedImages } from '../../src/core/uql/image.ts';
import type { OperationContext } from '../../src/core/uql/operations/operation.ts';
import { OperationFault } from '../../src/core/uql/operations/operation-fault.ts';
import { Bytes } from '../../src/core/values/bytes.ts';
import { parseTimestamp, Timestamp } from '../../src/core/values/timestamp.ts';
import { createImageLoader } from '../../src/images/image-loader.ts';

export interface Expectation {
  expected: unknown;
  source: string;
  error_type?: string;
  error_message?: string;
  error_message_contains?: string;
  expected_type?: string;
  tolerance?: unknown;
  output_kind?: string;
  input_kind?: string;
  note?: string;
}

/** Numbers keep their text, so `1.0` is a float. */
export function readVectors<Vector>(file: string): Vector[] {
  return parseJson(readFileSync(resolve(import.meta.dirname, '../vectors', file), 'utf8')) as Vector[];
}

/** Titles such as `#3 test_name`; the number is needed because sources repeat. */
export function titled<Vector extends Expectation>(vectors: readonly Vector[]): [string, Vector][] {
  return vectors.map((vector, index) => [`#${index} ${vector.source.replace(/^.*::/, '')}`, vector]);
}

const REFUSED_WHEN_SAVED = ['ValidationError', 'error'];

/** Whether Python refuses the definition when it reads it or compiles its regular expression. */
export function isRefusedWhenSaved({ error_type: type }: Expectation): boolean {
  return type !== undefined && REFUSED_WHEN_SAVED.includes(type);
}

export function expectsError({ expected }: Expectation): boolean {
  return isDict(expected) && expected['error'] === true;
}

const NOW = Date.parse('2026-01-02T03:04:05Z');
const loader = createImageLoader({ readBlob: () => Promise.reject(new Error('no case has files')) });

/** Runs again with the images that the run requests, as the engine does. */
export async function runWithImages(parameters: Record<string, unknown>, run: (context: OperationContext) => unknown): Promise<unknown> {
  let images: Images = unloadedImages;
  for (let tries = 0; tries < 5; tries += 1) {
    try {
      return run({ parameters, images, random: () => 0.5, now: NOW });
    } catch (error) {
      if (!(error instanceof ImagesWanted)) throw error;
      images = await loader.load(error.wants);
    }
  }
  throw new Error('images are wanted again and again');
}

export async function expectFault(vector: Expectation, run: () => Promise<unknown>): Promise<void> {
  const fault = await run().then(
    (result) => expect.fail(`gave ${String(result)} and no error`),
    (error: unknown) => error,
  );
  if (!(fault instanceof OperationFault)) throw fault;
  if (vector.error_type !== undefined) expect(fault.type).toBe(vector.error_type);
  if (vector.error_message !== undefined) expect(fault.message).toBe(vector.error_message);
  if (vector.error_message_contains !== undefined) expect(fault.message).toContain(vector.error_message_contains);
}

export async function expectResult(vector: Expectation, result: unknown, input?: unknown): Promise<void> {
  if (vector.output_kind === 'bytes') return expectImageBytes(vector, result, input);
  if (vector.expected_type !== undefined) expect(kindOf(result)).toBe(vector.expected_type);
  if (vector.output_kind === 'timestamp') expect(result).toBeInstanceOf(Timestamp);
  const plain = result instanceof Timestamp ? result.isoFormat() : result;
  expectClose(plain, vector.expected, Number(vector.tolerance ?? 0));
}

/** Compares deeply, with the types of Python; numbers may differ by the tolerance of the case. */
function expectClose(actual: unknown, expected: unknown, tolerance: number, path = 'the result'): void {
  // The cases are JSON, so tuples are recorded as lists.
  const kind = kindOf(actual) === 'tuple' ? 'list' : kindOf(actual);
  expect(kind, `type of ${path}`).toBe(kindOf(expected));
  if (Array.isArray(expected)) {
    const items = actual as unknown[];
    expect(items.length, `length of ${path}`).toBe(expected.length);
    for (const [index, item] of expected.entries()) expectClose(items[index], item, tolerance, `${path}[${index}]`);
  } else if (isDict(expected)) {
    const fields = actual as Record<string, unknown>;
    expect(Object.keys(fields).sort(), `keys of ${path}`).toEqual(Object.keys(expected).sort());
    for (const [key, item] of Object.entries(expected)) expectClose(fields[key], item, tolerance, `${path}.${key}`);
  } else if (tolerance > 0 && ['int', 'float'].includes(kindOf(expected))) {
    expect(Math.abs(Number(actual) - Number(expected)), path).toBeLessThanOrEqual(tolerance);
  } else {
    expect(isEqual(actual, expected), `${path} is ${String(actual)} and not ${String(expected)}`).toBe(true);
  }
}

async function expectImageBytes(vector: Expectation, result: unknown, input: unknown): Promise<void> {
  const { format, width, height } = vector.expected as Record<string, unknown>;
  const { data } = result as Bytes;
  expect(result).toBeInstanceOf(Bytes);
  const metadata = await sharp(data).metadata();
  expect({ format: metadata.format, width: metadata.width, height: metadata.height }).toEqual({ format, width, height });
  const text = (input as { value: string }).value.replace(/^data:.*?,/, '');
  const [before, after] = await Promise.all([pixelsOf(Buffer.from(text, 'base64')), pixelsOf(data)]);
  const difference = before.reduce((sum, byte, index) => sum + Math.abs(byte - (after[index] as number)), 0);
  expect(difference / before.length).toBeLessThan(8);
}

function pixelsOf(image: Uint8Array): Promise<Buffer> {
  return sharp(image).removeAlpha().toColourspace('srgb').raw().toBuffer();
}

/** Builds the input value of a case. */
export function readInput(input: unknown, kind: string | undefined): unknown {
  if (kind === 'timestamp') return parseTimestamp(input as string);
  return kind === 'generated' ? generate((input as Record<string, string>)['$generate'] as string) : input;
}

function generate(description: string): unknown {
  const array = /^array of (\d+) strings, each '(.*)' repeated (\d+) times$/.exec(description);
  if (array !== null) return new Array<string>(Number(array[1])).fill((array[2] as string).repeat(Number(array[3])));
  const text = /^string '(.*)' repeated (\d+) times$/.exec(description);
  if (text !== null) return (text[1] as string).repeat(Number(text[2]));
  throw new Error(`how to generate ${description} is not known`);
}
