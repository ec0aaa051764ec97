// Transforms the content of a form's part as it streams in.

import { SIGNATURE_BYTES } from '../../../core/form/file-type.ts';
import { type PartHead, shownPart } from '../../../core/form/part-head.ts';
import { AppError } from '../../../errors.ts';

export type Content = AsyncIterable<Uint8Array>;

/** Passes the content on. Throws `too_large` with the name of the part. */
export async function* bounded(content: Content, limit: number, head: PartHead): AsyncGenerator<Uint8Array, void> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > limit) throw new AppError('too_large', `part "${shownPart(head)}" is larger than the ${limit} bytes that this sink accepts`);
    yield chunk;
  }
}

/** Copies the first bytes of the content into `beginning`. */
export async function* recordBeginning(beginning: number[], content: Content): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of content) {
    if (beginning.length < SIGNATURE_BYTES) beginning.push(...chunk.subarray(0, SIGNATURE_BYTES - beginning.length));
    yield chunk;
  }
}

export async function* prepend(chunks: Uint8Array[], content: Content): AsyncGenerator<Uint8Array, void> {
  yield* chunks;
  yield* content;
}

export async function collect(content: Content): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return chunks;
}

/** Reads until the content ends or exceeds `limit`. The rest can still be read from `content`. */
export async function collectUpTo(
  limit: number,
  content: AsyncGenerator<Uint8Array, void>,
): Promise<{ chunks: Uint8Array[]; isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= limit; ) {
    const next = await content.next();
    if (next.done === true) return { chunks, isWhole: true };
    chunks.push(next.value);
    size += next.value.length;
  }
  return { chunks, isWhole: false };
}
