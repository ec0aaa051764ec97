// Admin route for a received file of a run, as bytes. A picture is shown in place, and nothing else: senders choose the bytes.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FileHandle } from '../../../core/run/request.ts';
import { AppError } from '../../../errors.ts';
import type { BlobStore } from '../../../files/blobs.ts';
import type { MemoryBudget } from '../../../memory-budget.ts';
import type { Storage } from '../../../storage/storage.ts';
import { unknownRun } from '../../streams/run-routes.ts';
import { type ByteSource, sendBytes } from './send-bytes.ts';
import { pictureType, TYPE_BYTES } from './shown-type.ts';

/** Where the files are. */
type Blobs = Pick<BlobStore, 'read' | 'readRange'>;

export interface FileRouteDependencies {
  storage: Pick<Storage, 'listFiles'>;
  blobs: Blobs;
  memory: Pick<MemoryBudget, 'answers'>;
}

const params = {
  type: 'object',
  properties: {
    run_id: { type: 'string' },
    index: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'its place among the files of the request' },
  },
};

const NO_PAGE = {
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

export function fileRoutes(server: FastifyInstance, { storage, blobs, memory }: FileRouteDependencies): void {
  server.get<{ Params: { run_id: string; index: number } }>(
    '/runs/:run_id/files/:index',
    { schema: { tags: ['runs'], summary: 'Get a received file of a run', description: 'Takes a `Range`.', params } },
    async (request, reply) => {
      const files = await storage.listFiles(request.params.run_id, request.params.index, 1);
      if (files === null) throw unknownRun();
      const [file] = files;
      if (file === undefined) throw new AppError('not_found', 'the request of this run has no such file; the first one is files/0');
      describeFile(reply, file, await beginningOf(file, blobs));
      return sendBytes(request as FastifyRequest, reply, fileBytes(file, blobs), memory.answers);
    },
  );
}

/** Only a whole file can be compared with its hash. */
export function fileBytes({ sha256, size }: FileHandle, blobs: Blobs): ByteSource {
  return {
    size,
    sliceBytes: 0,
    async *pieces(from, end) {
      try {
        if (from > 0 || end < size) yield* blobs.readRange(sha256, { size, from, end });
        else yield* blobs.read(sha256, size) as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw lostFile(error);
      }
    },
  };
}

async function beginningOf(file: FileHandle, blobs: Blobs): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of fileBytes(file, blobs).pieces(0, Math.min(TYPE_BYTES, file.size))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** `gone` if the file is not on the disk as it came. */
function lostFile(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new AppError('gone', 'the file is no longer in the data directory; only its name is left');
  return code === 'FILE_ALTERED' ? new AppError('gone', 'the file in the data directory is not what was received') : error;
}

function describeFile(reply: FastifyReply, { filename }: FileHandle, beginning: Uint8Array): void {
  const type = pictureType(beginning);
  const name = filename === null || filename === '' ? '' : `; filename*=UTF-8''${encodedName(filename)}`;
  reply.headers({
    ...NO_PAGE,
    'content-type': type ?? 'application/octet-stream',
    'content-disposition': `${type === null ? 'attachment' : 'inline'}${name}`,
  });
}

/** As RFC 8187 wants it. A name may hold what is no text at all. */
function encodedName(name: string): string {
  const bytes = Array.from(Buffer.from(name, 'utf8'));
  return bytes.map((byte) => (/[A-Za-z0-9._-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percent(byte))).join('');
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
