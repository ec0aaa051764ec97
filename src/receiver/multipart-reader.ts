// A multipart form on its way in: each part is summarised as it goes by, and none is whole in memory. A form that is
// broken gives the parts that came before the break, and says what broke it.

import { PassThrough } from 'node:stream';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { Part } from './arrival.ts';
import { createByteSummary, HEAD_BYTES } from './byte-summary.ts';
import type { ContentReader } from './content-reader.ts';
import { imageSize } from './image-size.ts';
import type { SavedFile, SaveFile } from './saved-file.ts';
import { shortText } from './short-text.ts';

const MAX_PARTS = 1000;
const LIMITS = { parts: MAX_PARTS, headerPairs: 50, headerSize: 8 * 1024 };

/** Throws when the content type names no boundary. */
export function readMultipart(contentType: string, save: SaveFile): ContentReader {
  const parts: Part[] = [];
  const faults: string[] = [];
  const reading: Promise<void>[] = [];
  const open = new Set<() => void>();
  const headers = { 'content-type': contentType };
  const parser = new Busboy({ headers, preservePath: true, isPartAFile: () => true, limits: LIMITS });

  async function readPart(head: PartHead, stream: BusboyFileStream): Promise<void> {
    const number = reading.length + 1;
    // A part that the form ends in is reported by the parser, and then left open for ever. What came of it is read.
    let isCut = false;
    const cut = (): void => {
      isCut = true;
      stream.push(null);
    };
    stream.on('error', cut);
    open.add(cut);
    const bytes = stream.pipe(new PassThrough());
    const file = await save(`part-${number}-${head.filename ?? head.name ?? ''}`, (fault) => faults.push(fault));
    parts[number - 1] = await summarise(head, bytes, file);
    open.delete(cut);
    if (isCut) faults.push(`part ${number} is cut off`);
  }

  const over = new Promise<void>((resolve) => {
    parser.once('finish', resolve);
    parser.once('close', resolve);
    parser.on('error', (error) => {
      faults.push(`the multipart form is broken: ${(error as Error).message}`);
      for (const cut of open) cut();
      resolve();
    });
  });
  parser.on('partsLimit', () => faults.push(`only the first ${MAX_PARTS} parts are shown`));
  parser.on('file', (name: string | undefined, stream, filename: string | undefined, _encoding, contentType) => {
    const done = readPart({ name: name ?? null, filename: filename ?? null, contentType }, stream);
    reading.push(done);
  });

  return {
    write: (chunk) => Promise.race([new Promise<void>((resolve) => void parser.write(chunk, () => resolve())), over]),
    async end() {
      parser.end();
      await over;
      await Promise.all(reading);
      if (parts.length === 0 && faults.length === 0) faults.push('the multipart form holds no part that is form-data');
      return { content: { kind: 'multipart', parts }, faults };
    },
  };
}

type PartHead = Pick<Part, 'name' | 'filename' | 'contentType'>;

async function summarise(head: PartHead, stream: AsyncIterable<Buffer>, file: SavedFile): Promise<Part> {
  const summary = createByteSummary(HEAD_BYTES);
  for await (const chunk of stream) {
    summary.add(chunk);
    await file.write(chunk);
  }
  const bytes = summary.head();
  const text = head.filename === null ? shortText(bytes) : null;
  return { ...head, size: summary.size, sha256: summary.sha256(), image: imageSize(bytes), text, saved: await file.close() };
}
