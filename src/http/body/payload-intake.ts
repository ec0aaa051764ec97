// The body of a request to a sink that says which platform sends. Its files are looked at before they are kept, so that
// of a request that is refused nothing stays.

import { readFile } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import { MalformedForm } from '../../core/form/malformed-form.ts';
import type { BodyKind, FileHandle } from '../../core/run/request.ts';
import type { PayloadSource } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore, WriteBlob } from '../../files/blobs.ts';
import { createPayloadReader, LARGE_BYTES } from '../../intake/payload-reader.ts';
import type { Payload } from '../../payloads/payload.ts';
import { hasBody } from './body-bytes.ts';
import { bodyReading } from './body-reading.ts';
import { decodeBytes } from './decode-body.ts';
import { plainFilename } from './form/form-values.ts';
import type { BodyIntake } from './form/multipart-body.ts';
import { bodyKindOf, type MediaType } from './media-type.ts';
import { type ReceivedBody, receiveBody } from './received-body.ts';

export type ReceivedPayload = ReceivedBody & { payload: Payload };

export interface ExpectedPayload extends Pick<BodyIntake, 'limits' | 'hold'> {
  source: PayloadSource;
}

export interface PayloadIntake {
  /** Rejects with `invalid`, `too_large`, `unsupported_media`, or `unprocessable` that names the part. */
  receive(request: FastifyRequest, media: MediaType | null, expected: ExpectedPayload): Promise<ReceivedPayload>;
  close(): Promise<void>;
}

/** How each platform sends. */
const SENDS: Record<PayloadSource, { name: string; kinds: readonly BodyKind[]; types: string }> = {
  robovision: { name: 'Robovision', kinds: ['multipart'], types: 'multipart/form-data' },
  v7: { name: 'V7', kinds: ['json'], types: 'application/json' },
  roboflow: {
    name: 'Roboflow',
    kinds: ['json', 'form', 'multipart'],
    types: 'application/json, application/x-www-form-urlencoded or multipart/form-data',
  },
};

export function createPayloadIntake(blobs: BlobStore): PayloadIntake {
  const payloads = createPayloadReader();
  return {
    async receive(request, media, { source, limits, hold }) {
      const kind = kindFrom(request, media, source);
      const staged = blobs.stage();
      try {
        // A Darwin document may be large: it is kept as a file, and its JSON is read as a body only where it is small.
        const intake = { limits, hold, write: staged.write, keepsFilenames: source === 'robovision', needsFields: true };
        const reading = bodyReading(source === 'v7' ? 'raw' : 'auto', media, limits);
        const received = withFields(await receiveBody(request, media, intake, reading));
        const isJson = received.body.kind === 'json';
        const files = isJson ? [await keepBody(received, staged.write)] : received.files;
        const fields = kind === 'json' || isJson ? {} : (received.value as Record<string, unknown>);
        const payload = await payloads.read(source, { content_type: media?.type ?? null, files, fields }, staged.pathOf);
        const read = source === 'v7' ? await withSmallJson(received, staged.pathOf) : received;
        await staged.publish();
        return { ...read, files: files.map(withPlainName), payload };
      } catch (error) {
        throw orUnprocessable(error);
      } finally {
        await staged.discard();
      }
    },
    close: () => payloads.close(),
  };
}

function kindFrom({ raw }: FastifyRequest, media: MediaType | null, source: PayloadSource): BodyKind {
  const { name, kinds, types } = SENDS[source];
  if (!hasBody(raw)) {
    throw new AppError('unprocessable', `body: is empty; this sink takes what ${name} sends, as ${types}`, { details: { part: 'body' } });
  }
  const kind = media === null ? 'file' : bodyKindOf(media);
  if (kinds.includes(kind)) return kind;
  const given = media?.type ?? 'a body without a type';
  throw new AppError('unsupported_media', `this sink takes what ${name} sends, as ${types}, not ${given}`);
}

/** JSON that was refused before it was looked at is a fault of its part, as all that is wrong with a payload. */
function orUnprocessable(error: unknown): unknown {
  if (!(error instanceof AppError) || error instanceof MalformedForm || error.code !== 'invalid') return error;
  if (error.details['part'] === undefined) return error;
  return new AppError('unprocessable', error.message, { details: error.details });
}

/** A form is decoded to be looked at, however large it is: its fields are few. */
function withFields(received: ReceivedBody): ReceivedBody {
  const { body, reading } = received;
  return reading !== undefined && reading !== 'stored' && reading.kind === 'form'
    ? { ...decodeBytes(body.bytes, reading), files: [] }
    : received;
}

/** What selectors reach as `$request.body` is the JSON of a small document, and the handle of a large one. */
async function withSmallJson(received: ReceivedBody, pathOf: (sha256: string) => string): Promise<ReceivedBody> {
  const [file] = received.files;
  if (file === undefined || file.size > LARGE_BYTES) return received;
  const bytes = await readFile(pathOf(file.sha256));
  return { ...received, ...decodeBytes(bytes, { kind: 'json', charset: null, fields: 0, mayBeJson: true, field: null }) };
}

async function keepBody({ body }: ReceivedBody, write: WriteBlob): Promise<FileHandle> {
  const stored = await write(once(body.bytes));
  return { name: 'body', filename: null, content_type: 'application/json', ...stored };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const withPlainName = (file: FileHandle): FileHandle => ({ ...file, filename: plainFilename(file.filename) });
