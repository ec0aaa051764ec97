// The bodies of requests that `sluice send` makes of samples: checks the flags, and puts parts together as a form.

import { createHash } from 'node:crypto';
import { encodeMultipart } from '../core/multipart.ts';
import { nearNames } from '../steps/near-names.ts';
import { ExitError, WRONG_USAGE } from './exit-error.ts';
import { readWhole } from './number-flag.ts';
import { type MakeSample, type Sample, type SampleOptions, sampleKinds } from './samples.ts';
import type { SendBody } from './send-body.ts';

export interface SampleFlags {
  payload?: string;
  seed?: string;
  objects?: string;
  image: boolean;
  annotations: boolean;
  size?: string;
}

const SIDE = { min: 16, max: 8192 };

/** Makes the body of the request with this index, from 0: each has a seed of its own. */
export type BodyMaker = (index: number) => Promise<SendBody>;

export async function readSampleFlags(kind: string, flags: SampleFlags, load: () => Promise<MakeSample>): Promise<BodyMaker> {
  if (!sampleKinds.includes(kind)) throw new ExitError(unknownKind(kind), WRONG_USAGE);
  const { seed, ...options } = readOptions(flags);
  const makeSample = await load();
  return async (index) => {
    const own = seed + index;
    return encodeSample(await makeSample(kind, { seed: own, ...options }), `${kind} ${own}`);
  };
}

/** For flags that mean nothing without --payload. */
export function refuseSampleFlags({ seed, objects, image, annotations, size }: SampleFlags): void {
  const given = { '--seed': seed, '--objects': objects, '--size': size, '--no-image': !image, '--no-annotations': !annotations };
  const [flag] = Object.entries(given).find(([, value]) => value !== undefined && value !== false) ?? [];
  if (flag !== undefined) throw new ExitError(`${flag} says how a sample is made; give --payload with it`, WRONG_USAGE);
}

function unknownKind(kind: string): string {
  const [near] = nearNames(kind, sampleKinds);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `--payload "${kind}" is not known${hint}\nknown are ${sampleKinds.join(', ')}`;
}

function readOptions({ seed = '1', objects = '3', size = '640x480', image, annotations }: SampleFlags): SampleOptions {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size) ?? [];
  if (width === undefined || height === undefined)
    throw new ExitError(`--size "${size}": write it as width x height, as 640x480`, WRONG_USAGE);
  return {
    seed: readWhole('--seed', seed, { min: 0, max: 2 ** 31 }),
    objects: readWhole('--objects', objects, { min: 0, max: 1000 }),
    image,
    annotations,
    width: readWhole('--size', width, SIDE),
    height: readWhole('--size', height, SIDE),
  };
}

/** The boundary is made of `identity`, so that the same sample is the same bytes. */
function encodeSample({ contentType, parts, body = new Uint8Array() }: Sample, identity: string): SendBody {
  if (contentType !== 'multipart/form-data') return { body: Buffer.from(body), contentType };
  const boundary = `sluice-${createHash('sha256').update(identity).digest('hex').slice(0, 32)}`;
  const pieces = encodeMultipart(
    parts.map(({ name, filename, content_type, bytes }) => ({ name, filename, contentType: content_type, headers: {}, content: bytes })),
    boundary,
  );
  return { body: Buffer.concat(pieces as Uint8Array[]), contentType: `multipart/form-data; boundary=${boundary}` };
}
