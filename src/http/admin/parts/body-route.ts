// Admin route for the body of a stored request as it came: its bytes, its file, or its form written again.

import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BodyPart } from '../../../core/delivery/outbound.ts';
import { rebuildForm } from '../../../core/form/rebuilt-form.ts';
import { parseJson } from '../../../core/json/json.ts';
import type { BlobStore } from '../../../files/blobs.ts';
import type { MemoryBudget } from '../../../memory-budget.ts';
import type { RunHead } from '../../../storage/runs/part-store.ts';
import type { Storage } from '../../../storage/storage.ts';
import { unknownRun } from '../../streams/run-routes.ts';
import { fileBytes } from './file-routes.ts';
import { asAttachment, type ByteSource, reserveUntilClosed, sendBytes } from './send-bytes.ts';
import { storedBytes } from './stored-bytes.ts';

export interface BodyRouteDependencies {
  storage: Pick<Storage, 'getHead' | 'listFiles' | 'readPart'>;
  blobs: Pick<BlobStore, 'read' | 'readRange'>;
  memory: Pick<MemoryBudget, 'answers'>;
}

const schema = {
  tags: ['runs'],
  summary: "Get the body of a run's request, byte for byte; a multipart form is written again",
  description: 'Takes a `Range`, except for a multipart form.',
};

/** The bytes, and their text. */
const FORM_COPIES = 2;

export function bodyRoute(server: FastifyInstance, dependencies: BodyRouteDependencies): void {
  server.get<{ Params: { run_id: string } }>('/runs/:run_id/body', { schema }, async (request, reply) => {
    const head = await dependencies.storage.getHead(request.params.run_id);
    if (head === null) throw unknownRun();
    asAttachment(reply);
    if (head.bodyKind.startsWith('multipart')) return await sendForm(reply, head, dependencies);
    const source = head.bodyKind === 'file' ? await bodyFile(head, dependencies) : bodyBytes(head, dependencies);
    return await sendBytes(request as FastifyRequest, reply, source, dependencies.memory.answers);
  });
}

function bodyBytes({ id, bodySize }: RunHead, { storage }: BodyRouteDependencies): ByteSource {
  return storedBytes(storage, { runId: id, part: { kind: 'body' }, size: bodySize });
}

async function bodyFile({ id }: RunHead, { storage, blobs }: BodyRouteDependencies): Promise<ByteSource> {
  const [file] = (await storage.listFiles(id, 0, 1)) ?? [];
  if (file === undefined) throw unknownRun();
  return fileBytes(file, blobs);
}

/** The type names the boundary, which no browser shows as a page. */
async function sendForm(reply: FastifyReply, head: RunHead, { storage, blobs, memory }: BodyRouteDependencies): Promise<FastifyReply> {
  await reserveUntilClosed(reply.raw, memory.answers, FORM_COPIES * head.bodySize);
  const fields = await storage.readPart(head.id, { kind: 'body' }, 0, head.bodySize);
  const files = await storage.listFiles(head.id, 0, head.fileCount);
  if (fields === null || files === null) throw unknownRun();
  const boundary = randomBytes(16).toString('hex');
  const parts = rebuildForm(parseJson(Buffer.from(fields).toString('utf8')), files, boundary);
  reply.header('content-type', `multipart/form-data; boundary=${boundary}`);
  return reply.send(Readable.from(partsOf(parts, blobs)));
}

async function* partsOf(parts: readonly BodyPart[], blobs: Pick<BlobStore, 'read'>): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else if ('sha256' in part) yield* blobs.read(part.sha256, part.size) as AsyncIterable<Uint8Array>;
  }
}
