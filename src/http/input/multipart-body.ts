// A multipart form (RFC 7578): fields become one JSON object, files go to the blob store while they come in.
// Nothing that a caller names is used as a path, and no file is ever whole in memory.

import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { decodeText } from '../../core/charset.ts';
import { stringifyJson } from '../../core/json.ts';
import { type FileHandle, groupPairs } from '../../core/request.ts';
import type { SinkLimits } from '../../core/sink.ts';
import { AppError } from '../../errors.ts';
import type { WriteBlob } from '../../storage/blobs.ts';
import { callerGone, isCallerGone, refuseAnnouncedSize, tooLarge } from './body-bytes.ts';
import { parseJsonField } from './json-body.ts';
import { readMediaType } from './media-type.ts';

export interface MultipartBody {
  fields: Record<string, unknown>;
  /** The fields as JSON text in UTF-8. */
  bytes: Uint8Array;
  files: FileHandle[];
}

export interface BodyIntake {
  limits: SinkLimits;
  /** Where files go. */
  write: WriteBlob;
  /** Names of files as they were sent, folders and all, for those who refuse such names; without, names to show. */
  keepsFilenames?: boolean;
}

/** Rejects with `invalid` for a malformed form and `too_large` beyond the sink's limits. */
export async function readMultipart(
  request: FastifyRequest,
  { limits, write, keepsFilenames = false }: BodyIntake,
): Promise<MultipartBody> {
  refuseAnnouncedSize(request.raw, limits.formBytes);
  const fields: [string, unknown][] = [];
  const files: FileHandle[] = [];
  let formBytes = 0;

  async function* measured(part: MultipartFile, limit: number, name: string): AsyncGenerator<Uint8Array> {
    let partBytes = 0;
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      partBytes += chunk.length;
      formBytes += chunk.length;
      if (formBytes > limits.formBytes) throw tooLarge(limits.formBytes);
      if (partBytes > limit) throw new AppError('too_large', `part "${name}" is larger than the ${limit} bytes that this sink takes`);
      yield chunk;
    }
    if (part.file.truncated) throw new AppError('too_large', `part "${name}" is larger than the ${limit} bytes that this sink takes`);
  }

  async function readPart(part: MultipartFile): Promise<void> {
    const name = (part.fieldname as string | undefined) ?? '';
    if (isFile(part)) {
      if (files.length >= limits.files)
        throw new AppError('too_large', `the form holds more than the ${limits.files} files that this sink takes`);
      const filename = part.filename ?? null;
      const { sha256, size } = await write(measured(part, limits.fileBytes, name));
      files.push({ name, filename: keepsFilenames ? filename : plainFilename(filename), content_type: part.mimetype, size, sha256 });
      return;
    }
    if (fields.length >= limits.fields)
      throw new AppError('too_large', `the form holds more than the ${limits.fields} fields that this sink takes`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of measured(part, limits.fieldBytes, name)) chunks.push(chunk);
    fields.push([name, readField(name, part.mimetype, Buffer.concat(chunks))]);
  }

  const maxParts = limits.files + limits.fields + 1;
  // Every part comes as a stream, so that a JSON field keeps its numbers and each limit is checked as bytes arrive.
  const options = {
    isPartAFile: () => true,
    throwFileSizeLimit: false,
    preservePath: keepsFilenames,
    limits: {
      files: maxParts,
      parts: maxParts,
      fields: maxParts,
      fieldNameSize: 256,
      headerPairs: 50,
      fileSize: Math.max(limits.fileBytes, limits.fieldBytes) + 1,
    },
  };
  try {
    for await (const part of request.parts(options)) await readPart(part as MultipartFile);
  } catch (error) {
    // What is still to come of a refused form is not worth taking apart.
    request.raw.unpipe();
    request.raw.resume();
    throw describeFailure(error);
  }
  const grouped = groupPairs(fields);
  return { fields: grouped, bytes: Buffer.from(stringifyJson(grouped)), files };
}

function isFile({ filename, mimetype }: MultipartFile): boolean {
  if (filename !== undefined) return true;
  return !(mimetype.startsWith('text/') || mimetype === 'application/json' || mimetype.endsWith('+json'));
}

/** A name to show, never to open: without folders and control characters. */
export function plainFilename(filename: string | null): string | null {
  if (filename === null) return null;
  const base = filename.split(/[/\\]/).at(-1) as string;
  return base.replaceAll(/\p{Cc}/gu, '').slice(0, 255);
}

function readField(name: string, contentType: string, bytes: Uint8Array): unknown {
  const media = readMediaType(contentType);
  let text: string;
  try {
    text = decodeText(bytes, media?.charset ?? 'utf-8');
  } catch {
    const message = `field "${name}" is not ${media?.charset ?? 'utf-8'} text; send binary data as a file part, with a filename`;
    throw new AppError('invalid', message, { details: { part: name } });
  }
  return media?.type === 'application/json' ? parseJsonField(text, name) : text;
}

/** The parser reports malformed forms as plain errors; all but system errors are the caller's doing. */
function describeFailure(error: unknown): unknown {
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string };
  if (error instanceof AppError) return error;
  if (isCallerGone(error as NodeJS.ErrnoException)) return callerGone();
  if (statusCode === 413) return new AppError('too_large', `the form is refused: ${message}`);
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return error;
  return new AppError('invalid', `the multipart form is malformed: ${message}`);
}
