// Creates request bodies of `sluice send` from samples: validates the flags, and encodes parts as a form.

import { createHash } from 'node:crypto';
import { encodeMultipart } from '../../core/form/multipart-writer.ts';
import { similarNames } from '../../core/values/similar-names.ts';
import { makeSample, type SampleKind, sampleKinds } from '../../payloads/samples/index.ts';
import type { Sample, SampleOptions } from '../../payloads/samples/sample.ts';
import { ExitError, WRONG_USAGE } from '../exit-error.ts';
import { readWhole } from '../number-flag.ts';
import type { SendBody } from './send-body.ts';

export interface SampleFlags {
  payload?: string;
  seed?: string;
  objects?: string;
  image: boolean;
  annotations: boolean;
  size?: string;
}

/** By their names on the command line: `robovision:object-detection` is `robovision.object_detection`. */
const KINDS: ReadonlyMap<string, SampleKind> = new Map(sampleKinds.map((kind) => [kind.replace('.', ':').replaceAll('_', '-'), kind]));

export const SAMPLE_NAMES: readonly string[] = [...KINDS.keys()];

const SIDE = { min: 16, max: 8192 };

/** Creates the body of the request with this index, from 0. Each index has its own seed. */
export type BodyMaker = (index: number) => Promise<SendBody>;

export function readSampleFlags(name: string, flags: SampleFlags): BodyMaker {
  const kind = KINDS.get(name);
  if (kind === undefined) throw new ExitError(unknownKind(name), WRONG_USAGE);
  const { seed, ...options } = readOptions(flags);
  return async (index) => encodeSample(makeSample(kind, { seed: seed + index, ...options }), `${kind} ${seed + index}`);
}

/** Rejects flags that need --payload. */
export function refuseSampleFlags({ seed, objects, image, annotations, size }: SampleFlags): void {
  const flags = { '--seed': seed, '--objects': objects, '--size': size, '--no-image': !image, '--no-annotations': !annotations };
  const [flag] = Object.entries(flags).find(([, value]) => value !== undefined && value !== false) ?? [];
  if (flag !== undefined) throw new ExitError(`${flag} is an option of --payload; give both`, WRONG_USAGE);
}

function unknownKind(kind: string): string {
  const [near] = similarNames(kind, SAMPLE_NAMES);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `--payload "${kind}" is not known${hint}\nknown are ${SAMPLE_NAMES.join(', ')}`;
}

function readOptions({ seed = '1', objects = '3', size = '640x480', image, annotations }: SampleFlags): Omit<SampleOptions, 'rle'> {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size) ?? [];
  if (width === undefined || height === undefined)
    throw new ExitError(`--size "${size}": write it as width x height, such as 640x480`, WRONG_USAGE);
  return {
    seed: readWhole('--seed', seed, { min: 0, max: 2 ** 31 }),
    objects: readWhole('--objects', objects, { min: 0, max: 1000 }),
    image,
    annotations,
    width: readWhole('--size', width, SIDE),
    height: readWhole('--size', height, SIDE),
  };
}

/** The boundary is derived from `identity`, so that the same sample has the same bytes. */
function encodeSample(sample: Sample, identity: string): SendBody {
  if ('body' in sample) return { body: Buffer.from(sample.body), contentType: sample.contentType };
  const boundary = `sluice-${createHash('sha256').update(identity).digest('hex').slice(0, 32)}`;
  const parts = sample.parts.map(({ bytes, ...part }) => ({ ...part, headers: {}, content: bytes }));
  const body = Buffer.concat(encodeMultipart(parts, boundary) as Uint8Array[]);
  return { body, contentType: `${sample.contentType}; boundary=${boundary}` };
}
