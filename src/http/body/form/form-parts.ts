// Iterates over the parts of a multipart form, each with its content as a stream. The next chunk of the body is read once
// the previous one is consumed.

import { MalformedForm } from '../../../core/form/malformed-form.ts';
import { type FormToken, MultipartParser } from '../../../core/form/multipart-parser.ts';
import { type PartHead, shownPart } from '../../../core/form/part-head.ts';
import { createTransferDecoder } from '../../../core/form/transfer-encoding.ts';

export interface FormPart {
  head: PartHead;
  /** Decoded by its Content-Transfer-Encoding. Must be read to its end before the next part is requested. */
  content: AsyncGenerator<Uint8Array, void>;
}

/** Throws MalformedForm, and errors of `body`. */
export async function* readFormParts(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<FormPart, void> {
  const tokens = readTokens(body, new MultipartParser(boundary));
  for await (const token of tokens) {
    if (token.kind === 'part') yield { head: token.head, content: contentOf(token.head, tokens) };
  }
}

async function* readTokens(body: AsyncIterable<Uint8Array>, parser: MultipartParser): AsyncGenerator<FormToken, void> {
  for await (const chunk of body) yield* parser.push(chunk);
  yield* parser.end();
}

async function* contentOf(head: PartHead, tokens: AsyncGenerator<FormToken, void>): AsyncGenerator<Uint8Array, void> {
  const name = shownPart(head);
  const decoder = createTransferDecoder(head.transferEncoding, (why) => new MalformedForm(`part "${name}" ${why}`, name));
  for (;;) {
    const { value: token } = await tokens.next();
    // A form that ends within a part throws.
    if (token?.kind !== 'content') break;
    const bytes = decoder === null ? token.bytes : decoder.push(token.bytes);
    if (bytes.length > 0) yield bytes;
  }
  const rest = decoder?.end();
  if (rest !== undefined && rest.length > 0) yield rest;
}
