// Reads a multipart form as it streams in, and summarizes each part without having it whole in memory. A malformed form
// yields the parts before its fault, and the fault.

import { readFormType } from '../core/form/form-type.ts';
import { MalformedForm } from '../core/form/malformed-form.ts';
import { type FormToken, MultipartParser } from '../core/form/multipart-parser.ts';
import type { PartHead } from '../core/form/part-head.ts';
import { decodePartText, type PartText } from '../core/form/part-name.ts';
import type { ArrivedPart } from './arrival.ts';
import { createByteSummary, HEAD_BYTES } from './byte-summary.ts';
import type { ContentReader, ReadContent } from './content-reader.ts';
import { imageSize } from './image-size.ts';
import type { SaveFile } from './saved-file.ts';
import { shortText } from './short-text.ts';

const MAX_PARTS = 1000;

export class MultipartReader implements ContentReader {
  readonly #parser: MultipartParser;
  readonly #save: SaveFile;
  readonly #parts: ArrivedPart[] = [];
  readonly #faults: string[] = [];
  #open: OpenPart | null = null;
  #isOver = false;

  /** Throws MalformedForm when the content type has no boundary. */
  constructor(contentType: string, save: SaveFile) {
    this.#parser = new MultipartParser(readFormType(contentType).boundary);
    this.#save = save;
  }

  async write(chunk: Buffer): Promise<void> {
    await this.#addAll(this.#parser.push(chunk));
  }

  async end(): Promise<ReadContent> {
    await this.#addAll(this.#parser.end());
    if (this.#parts.length === 0 && this.#faults.length === 0) this.#faults.push('the multipart form has no parts');
    return { content: { kind: 'multipart', parts: this.#parts }, faults: this.#faults };
  }

  async #addAll(tokens: Iterable<FormToken>): Promise<void> {
    if (this.#isOver) return;
    try {
      for (const token of tokens) {
        if (token.kind === 'part' && this.#parts.length === MAX_PARTS) {
          this.#faults.push(`only the first ${MAX_PARTS} parts are shown`);
          this.#isOver = true;
          return;
        }
        await this.#add(token);
      }
    } catch (error) {
      if (!(error instanceof MalformedForm)) throw error;
      this.#isOver = true;
      this.#faults.push(`the multipart form is broken: ${error.why}`);
      if (this.#open !== null) this.#faults.push(`part ${this.#parts.length + 1} is cut off`);
      await this.#closePart();
    }
  }

  async #add(token: FormToken): Promise<void> {
    if (token.kind === 'part') this.#open = await openPart(token.head, this.#save, (fault) => this.#faults.push(fault));
    else if (token.kind === 'content') await this.#open?.add(Buffer.from(token.bytes));
    else await this.#closePart();
  }

  async #closePart(): Promise<void> {
    if (this.#open === null) return;
    this.#parts.push(await this.#open.close());
    this.#open = null;
  }
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
