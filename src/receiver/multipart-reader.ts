// Reads a multipart form as it streams in, and summarizes each part without having it whole in memory. A malformed form
// yields the parts before its fault, and the fault.

import { readFormType } from '../core/form/form-type.ts';
import { MalformedForm } from '../core/form/malformed-form.ts';
import { type FormToken, MultipartParser } from '../core/form/multipart-parser.ts';
import type { PartHead } from '../core/form/part-head.ts';
import { decodePartText, type PartText } from '../core/form/part-name.ts';
import type { ArrivedPart } from './arrival.ts';
import { createByteSummary, HEAD_BYTES } from './byte-summary.ts';
import type { ContentReader } from './content-reader.ts';
import { imageSize } from './image-size.ts';
import type { SaveFile } from './saved-file.ts';
import { shortText } from './short-text.ts';

const MAX_PARTS = 1000;

/** Throws MalformedForm when the content type has no boundary. */
export function multipartReader(contentType: string, save: SaveFile): ContentReader {
  const { boundary } = readFormType(contentType);
  const parser = new MultipartParser(boundary);
  const parts: ArrivedPart[] = [];
  const faults: string[] = [];
  let open: OpenPart | null = null;
  let isOver = false;

  async function add(token: FormToken): Promise<void> {
    if (token.kind === 'part') open = await openPart(token.head, save, (fault) => faults.push(fault));
    else if (token.kind === 'content') await open?.add(Buffer.from(token.bytes));
    else await closePart();
  }

  async function closePart(): Promise<void> {
    if (open === null) return;
    parts.push(await open.close());
    open = null;
  }

  async function addAll(tokens: Iterable<FormToken>): Promise<void> {
    if (isOver) return;
    try {
      for (const token of tokens) {
        if (token.kind === 'part' && parts.length === MAX_PARTS) {
          faults.push(`only the first ${MAX_PARTS} parts are shown`);
          isOver = true;
          return;
        }
        await add(token);
      }
    } catch (error) {
      if (!(error instanceof MalformedForm)) throw error;
      isOver = true;
      faults.push(`the multipart form is broken: ${error.why}`);
      if (open !== null) faults.push(`part ${parts.length + 1} is cut off`);
      await closePart();
    }
  }

  return {
    write: (chunk) => addAll(parser.push(chunk)),
    async end() {
      await addAll(parser.end());
      if (parts.length === 0 && faults.length === 0) faults.push('the multipart form holds no part');
      return { content: { kind: 'multipart', parts }, faults };
    },
  };
}

interface OpenPart {
  add(bytes: Buffer): Promise<void>;
  close(): Promise<ArrivedPart>;
}

async function openPart(head: PartHead, save: SaveFile, onFault: (fault: string) => void): Promise<OpenPart> {
  const [name, filename] = [decodeName(head.name), decodeName(head.filename)];
  const file = await save(`part-${head.number}-${filename ?? name ?? ''}`, onFault);
  const summary = createByteSummary(HEAD_BYTES);
  return {
    async add(bytes) {
      summary.add(bytes);
      await file.write(bytes);
    },
    async close() {
      const bytes = summary.head();
      return {
        name,
        filename,
        contentType: head.contentType?.type ?? 'text/plain',
        size: summary.size,
        sha256: summary.sha256(),
        image: imageSize(bytes),
        text: filename === null ? shortText(bytes) : null,
        saved: await file.close(),
      };
    },
  };
}

/** A name that is not UTF-8 is decoded as windows-1252, the most common charset of such senders. */
function decodeName(text: PartText | null): string | null {
  return text === null ? null : decodePartText(text, 'windows-1252');
}
