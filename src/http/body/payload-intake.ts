// Receives the body of a request to a sink with a `payload` platform. Its files are validated before they are published,
// so that nothing of a refused request stays on disk.

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
import { bodyFormat } from './body-format.ts';
import { decodeBytes } from './decode-body.ts';
import { plainFilename } from './form/form-values.ts';
import type { BodyIntake } from './form/multipart-body.ts';
import { bodyKindOf, type MediaType } from './media-type.ts';
import { provenBody, type ReceivedBody, receiveBody } from './received-body.ts';

export type ReceivedPayload = ReceivedBody & { payload: Payload };

export interface ExpectedPayload extends Pick<BodyIntake, 'limits' | 'bodyMemory' | 'seen'> {
  source: PayloadSource;
  /** Proves the sender before the payload is read. */
  sender: { finish(body: unknown, bytes: Uint8Array | undefined): Promise<void> | undefined } | null;
}

export interface PayloadIntake {
  /** Rejects with `invalid`, `too_large`, `unsupported_media`, or `unprocessable` with the faulty part. */
  receive(request: FastifyRequest, media: MediaType | null, expected: ExpectedPayload): Promise<ReceivedPayload>;
  close(): Promise<void>;
}

/** The content types of each platform's requests. */
const FORMATS: Record<PayloadSource, { name: string; kinds: readonly BodyKind[]; types: string }> = {
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
    async receive(request, media, { source, limits, bodyMemory, seen, sender }) {
      const kind = kindFrom(request, media, source);
      const staged = blobs.stage();
      try {
        // A Darwin document may be large: it is stored as a file, and decoded as a body only when it is small.
        const intake = { limits, bodyMemory, seen, write: staged.write, keepsFilenames: source === 'robovision', needsFields: true };
        const format = bodyFormat(source === 'v7' ? 'raw' : 'auto', media, limits);
        const received = withFields(await receiveBody(request, media, intake, format));
        await sender?.finish(...provenBody(received));
        const isJson = received.body.kind === 'json';
        const files = isJson ? [await storeBody(received, staged.write)] : received.files;
        const fields = kind === 'json' || isJson ? {} : (received.value as Record<string, unknown>);
        const payload = await payloads.read(source, { content_type: media?.type ?? null, files, fields }, staged.pathOf);
        const read = source === 'v7' ? await withSmallJson(received, staged.pathOf) : received;
        await staged.publish();
        return { ...read, files: files.map(withPlainName), payload };
      } catch (error) {
        throw asUnprocessable(error);
      } finally {
        await staged.discard();
      }
    },
    close: () => payloads.close(),
  };
}

function kindFrom({ raw }: FastifyRequest, media: MediaType | null, source: PayloadSource): BodyKind {
  const { name, kinds, types } = FORMATS[source];
  if (!hasBody(raw)) {
    throw new AppError('unprocessable', `body: is empty; this sink accepts requests of ${name}, as ${types}`, {
      details: { part: 'body' },
    });
  }
  const kind = media === null ? 'file' : bodyKindOf(media);
  if (kinds.includes(kind)) return kind;
  const type = media?.type ?? 'a body without a type';
  throw new AppError('unsupported_media', `this sink accepts requests of ${name}, as ${types}, not ${type}`);
}

/** Malformed JSON of a part is reported as any other fault of the payload, as `unprocessable`. */
function asUnprocessable(error: unknown): unknown {
  if (!(error instanceof AppError) || error instanceof MalformedForm || error.code !== 'invalid') return error;
  if (error.details['part'] === undefined) return error;
  return new AppError('unprocessable', error.message, { details: error.details });
}

/** A form is decoded whatever its size: its fields are few. */
function withFields(received: ReceivedBody): ReceivedBody {
  const { body, reading } = received;
  return reading !== undefined && reading !== 'stored' && reading.kind === 'form'
    ? { ...decodeBytes(body.bytes, reading), files: [] }
    : received;
}

/** `$request.body` is the JSON of a small document, and the file handle of a large one. */
async function withSmallJson(received: ReceivedBody, pathOf: (sha256: string) => string): Promise<ReceivedBody> {
  const [file] = received.files;
  if (file === undefined || file.size > LARGE_BYTES) return received;
  const bytes = await readFile(pathOf(file.sha256));
  return { ...received, ...decodeBytes(bytes, { kind: 'json', charset: null, fields: 0, mayBeJson: true, field: null }) };
}

async function storeBody({ body }: ReceivedBody, write: WriteBlob): Promise<FileHandle> {
  const stored = await write(once(body.bytes));
  return { name: 'body', filename: null, content_type: 'application/json', ...stored };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const withPlainName = (file: FileHandle): FileHandle => ({ ...file, filename: plainFilename(file.filename) });
