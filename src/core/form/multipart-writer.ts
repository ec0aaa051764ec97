// Writes multipart/form-data byte for byte like Python's requests and urllib3: fields first, then files, names in raw
// UTF-8, no content type on a part unless one is set.

import type { BodyPart } from '../delivery/outbound.ts';

export interface Part {
  name: string;
  /** Omitted from the header when null. */
  filename: string | null;
  contentType: string | null;
  /** Further headers of the part, in order. */
  headers: Readonly<Record<string, string>>;
  content: BodyPart;
}

const UTF8 = new TextEncoder();

/** Returns the body in pieces, to be sent in order. */
export function encodeMultipart(parts: readonly Part[], boundary: string): BodyPart[] {
  const pieces: BodyPart[] = [];
  let text = '';
  for (const { content, ...part } of parts) {
    text += `--${boundary}\r\n${headersOf(part)}\r\n`;
    pieces.push(UTF8.encode(text), content);
    text = '\r\n';
  }
  return [...pieces, UTF8.encode(`${text}--${boundary}--\r\n`)];
}

function headersOf({ name, filename, contentType, headers }: Omit<Part, 'content'>): string {
  const file = filename === null ? '' : `; filename="${escapeQuoted(filename)}"`;
  let text = `Content-Disposition: form-data; name="${escapeQuoted(name)}"${file}\r\n`;
  if (contentType !== null && contentType !== '') text += `Content-Type: ${contentType}\r\n`;
  for (const [header, value] of Object.entries(headers)) text += `${header}: ${value}\r\n`;
  return text;
}

/** Escapes characters that would end the quoted text or the line, by HTML's rule, which urllib3 follows. */
function escapeQuoted(text: string): string {
  return text.replace(/["\r\n]/g, (character) => (character === '"' ? '%22' : character === '\r' ? '%0D' : '%0A'));
}
