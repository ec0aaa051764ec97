// Reads the body of one request in a single pass: hashes it, saves it, and reads it by its type.

import type { IncomingMessage } from 'node:http';
import type { ArrivedBody } from './arrival.ts';
import { createByteSummary } from './byte-summary.ts';
import { contentReader } from './read-content.ts';
import type { SaveFile } from './saved-file.ts';

/** Never rejects. `isWhole` is false when the sender disconnected before the end. */
export async function readArrivingBody(
  request: IncomingMessage,
  onChunk: (chunk: Buffer) => void,
  save: SaveFile,
): Promise<{ body: ArrivedBody; isWhole: boolean }> {
  const { 'content-type': contentType = '', 'content-encoding': encoding } = request.headers;
  const summary = createByteSummary(0);
  const faults: string[] = [];
  const reader = contentReader(contentType, encoding, save);
  const file = hasBody(request) ? await save('body', (fault) => faults.push(fault)) : null;
  let isWhole = true;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      summary.add(chunk);
      onChunk(chunk);
      await file?.write(chunk);
      await reader.write(chunk);
    }
  } catch {
    isWhole = false;
    faults.push('the connection closed before the whole body arrived');
  }
  const { content, faults: contentFaults } = await reader.end();
  const saved = file === null ? null : await file.close();
  return { body: { size: summary.size, sha256: summary.sha256(), content, faults: [...faults, ...contentFaults], saved }, isWhole };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
