// Reads a body by its content type, and reports a body that does not match it.

import { MalformedForm } from '../core/form/malformed-form.ts';
import type { Pair } from './arrival.ts';
import { createByteSummary, HEAD_BYTES } from './byte-summary.ts';
import type { ContentReader, ReadContent } from './content-reader.ts';
import { imageSize } from './image-size.ts';
import { MultipartReader } from './multipart-reader.ts';
import type { SaveFile } from './saved-file.ts';
import { decodeUtf8 } from './short-text.ts';

/** Bytes kept in memory of a body that is shown as a whole. */
const MAX_SHOWN_BYTES = 1024 * 1024;

/** `encoding` is the request's Content-Encoding: a compressed body is shown as bytes. */
export function contentReader(contentType: string, encoding: string | undefined, save: SaveFile): ContentReader {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return wholeReader(HEAD_BYTES, readBytes);
  if (type === 'application/json' || type.endsWith('+json')) return wholeReader(MAX_SHOWN_BYTES, readText('json', jsonFault));
  if (type === 'application/x-www-form-urlencoded') return wholeReader(MAX_SHOWN_BYTES, readForm);
  if (type.startsWith('text/')) return wholeReader(MAX_SHOWN_BYTES, readText('text'));
  if (type !== 'multipart/form-data') return wholeReader(HEAD_BYTES, readBytes);
  try {
    return new MultipartReader(contentType, save);
  } catch (error) {
    if (!(error instanceof MalformedForm)) throw error;
    const fault = `the multipart form is broken: ${error.why}`;
    return wholeReader(HEAD_BYTES, (bytes) => ({ ...readBytes(bytes), faults: [fault] }));
  }
}

function wholeReader(keptBytes: number, read: (bytes: Buffer) => ReadContent): ContentReader {
  const summary = createByteSummary(keptBytes);
  return {
    write: summary.add,
    end() {
      const bytes = summary.head();
      if (bytes.length === 0) return { content: { kind: 'empty' }, faults: [] };
      if (summary.size <= keptBytes || read === readBytes) return read(bytes);
      return { ...readBytes(bytes), faults: [`larger than the ${keptBytes} bytes that are shown`] };
    },
  };
}

function readBytes(bytes: Buffer): ReadContent {
  return { content: { kind: 'bytes', image: imageSize(bytes) }, faults: [] };
}

function readText(kind: 'json' | 'text', faultOf: (text: string) => string | null = () => null): (bytes: Buffer) => ReadContent {
  return (bytes) => {
    const text = decodeUtf8(bytes);
    if (text === null) return { ...readBytes(bytes), faults: ['no UTF-8 text, though the content type says text'] };
    const fault = faultOf(text);
    return fault === null ? { content: { kind, text }, faults: [] } : { content: { kind: 'text', text }, faults: [fault] };
  };
}

function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `no JSON, though the content type says so: ${(error as Error).message}`;
  }
}

function readForm(bytes: Buffer): ReadContent {
  return { content: { kind: 'form', fields: readPairs(bytes.toString()) }, faults: [] };
}

/** Parses name and value pairs of a form or a query. */
export function readPairs(text: string): Pair[] {
  return [...new URLSearchParams(text)];
}
