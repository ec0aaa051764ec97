// Receives a multipart form (RFC 7578): fields become one JSON object, files are streamed to the blob store. No name from a
// caller is used as a path, and no file is ever whole in memory.

import { type DeclaredCharsets, readDeclaredCharsets } from '../../../core/form/field-charsets.ts';
import type { FormType } from '../../../core/form/form-type.ts';
import type { PartHead } from '../../../core/form/part-head.ts';
import { stringifyJson } from '../../../core/json/json.ts';
import { type FileHandle, groupPairs } from '../../../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../../../core/run/run-weight.ts';
import type { SinkLimits } from '../../../core/sink/limits/size-limits.ts';
import { AppError } from '../../../errors.ts';
import type { WriteBlob } from '../../../files/blobs.ts';
import type { Seen } from '../body-bytes.ts';
import type { BodyMemory } from '../body-memory.ts';
import { bodyKindOf } from '../media-type.ts';
import { readFormParts } from './form-parts.ts';
import { isJson, type ReceivedField, type ReceivedFile, readField, toFileHandle } from './form-values.ts';
import { bounded, type Content, collect, collectUpTo, prepend, recordBeginning } from './part-content.ts';

export interface MultipartBody {
  /** Null when they are large, and decoded in another thread. */
  fields: Record<string, unknown> | null;
  /** The fields as JSON text in UTF-8. */
  bytes: Uint8Array;
  files: FileHandle[];
}

export interface BodyIntake {
  limits: SinkLimits;
  /** Stores a file. */
  write: WriteBlob;
  /** Keeps file names as sent, including folders, for readers that refuse such names; by default, plain names for display. */
  keepsFilenames?: boolean;
  /** Decodes fields here, whatever their size. */
  needsFields?: boolean;
  /** Accounts for the bytes of fields. */
  bodyMemory: BodyMemory;
  /** Sees each chunk of the body as it came, still in its content coding. */
  seen: Seen | null;
}

/** Rejects with `invalid` for a malformed form and `too_large` beyond the sink's limits. `body` itself enforces `formBytes`. */
export async function readMultipart(body: Content, { boundary, charset }: FormType, intake: BodyIntake): Promise<MultipartBody> {
  const form = new FormReader(intake);
  for await (const { head, content } of readFormParts(body, boundary)) await form.add(head, content);
  return await form.finish(charset);
}

/** Receives one form. */
class FormReader {
  readonly #intake: BodyIntake;
  readonly #fields: ReceivedField[] = [];
  readonly #files: ReceivedFile[] = [];
  #inputsWithoutFile = 0;

  constructor(intake: BodyIntake) {
    this.#intake = intake;
  }

  async add(head: PartHead, content: AsyncGenerator<Uint8Array, void>): Promise<void> {
    const { fieldBytes } = this.#intake.limits;
    if (isField(head)) return this.#addField(head, await collect(this.#reserved(bounded(content, fieldBytes, head))));
    if (head.filename === '') {
      // A browser sends an empty file without a name when none was chosen.
      const first = await content.next();
      return first.done === true ? this.#skipEmptyInput() : this.#addFile(head, prepend([first.value], content));
    }
    if (!isJsonBlob(head)) return this.#addFile(head, content);
    const beginning = await collectUpTo(fieldBytes, this.#reserved(content));
    return beginning.isWhole ? this.#addField(head, beginning.chunks) : this.#addFile(head, prepend(beginning.chunks, content));
  }

  #addField(head: PartHead, chunks: Uint8Array[]): void {
    const { fields } = this.#intake.limits;
    if (this.#fields.length >= fields)
      throw new AppError('too_large', `the form has more than the ${fields} fields that this sink accepts`);
    this.#fields.push({ head, bytes: Buffer.concat(chunks) });
  }

  async #addFile(head: PartHead, content: Content): Promise<void> {
    const { limits, write } = this.#intake;
    if (this.#files.length >= limits.files)
      throw new AppError('too_large', `the form has more than the ${limits.files} files that this sink accepts`);
    const beginning: number[] = [];
    const { sha256, size } = await write(recordBeginning(beginning, bounded(content, limits.fileBytes, head)));
    this.#files.push({ head, sha256, size, beginning: Uint8Array.from(beginning) });
  }

  #skipEmptyInput(): void {
    const { files, fields } = this.#intake.limits;
    this.#inputsWithoutFile += 1;
    if (this.#inputsWithoutFile > files + fields)
      throw new AppError('too_large', `the form has more than ${files + fields} file inputs for which no file was chosen`);
  }

  /** `declared`: the charset of the request's Content-Type. */
  async finish(declared: string | null): Promise<MultipartBody> {
    const { keepsFilenames = false, needsFields = false } = this.#intake;
    const charsets = readDeclaredCharsets((isName) => this.#textOf(isName), declared);
    const size = this.#fields.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const isLarge = size > LARGE_RUN_BYTES && !needsFields;
    this.#intake.bodyMemory.reserveDecoded(!isLarge);
    const fields = isLarge ? null : groupPairs(this.#fields.map((field): [string, unknown] => readField(field, charsets)));
    const bytes = fields === null ? await this.#fieldsAsJson(charsets) : Buffer.from(stringifyJson(fields));
    return { fields, bytes, files: this.#files.map((file) => toFileHandle(file, charsets, keepsFilenames)) };
  }

  /** Yields to the event loop after each field, and keeps no value. */
  async #fieldsAsJson(charsets: DeclaredCharsets): Promise<Buffer> {
    const texts: [string, string][] = [];
    for (const field of this.#fields) {
      const [name, value] = readField(field, charsets);
      texts.push([name, stringifyJson(value)]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const fields = Object.entries(groupPairs(texts)).map(
      ([name, text]) => `${JSON.stringify(name)}:${Array.isArray(text) ? `[${text.join(',')}]` : text}`,
    );
    return Buffer.from(`{${fields.join(',')}}`);
  }

  async *#reserved(content: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of content) {
      this.#intake.bodyMemory.reserve(chunk.byteLength);
      yield chunk;
    }
  }

  #textOf(isName: (name: string) => boolean): string | null {
    const field = this.#fields.find(({ head: { name } }) => typeof name === 'string' && isName(name));
    return field === undefined ? null : Buffer.from(field.bytes).toString('latin1');
  }
}

/** A part without a file name is text unless its type is another (RFC 7578, 4.4). */
function isField(head: PartHead): boolean {
  const { filename, contentType } = head;
  return filename === null && (contentType === null || isJson(head) || bodyKindOf(contentType) === 'text');
}

/** `blob` is the file name that FormData gives to every Blob. */
function isJsonBlob(head: PartHead): boolean {
  return head.filename === 'blob' && isJson(head);
}
