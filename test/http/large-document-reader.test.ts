// The thread that reads large documents, when the server stops in between.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLargeDocumentReader } from '../../src/intake/large-document-reader.ts';
import type { ReadRequest } from '../../src/intake/payload-thread.ts';
import { tempDir } from '../support/temp-dir.ts';

test('documents that wait when the reader closes are refused, and not read by another thread', async () => {
  const text = JSON.stringify({ item: {}, annotations: [{ name: 'crate', bounding_box: { x: 1, y: 2, w: 3, h: 4 } }] });
  const path = join(tempDir(), 'body');
  await writeFile(path, text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const document = { name: 'body', filename: null, content_type: 'application/json', size: text.length, sha256 };
  const request: ReadRequest = {
    source: 'v7',
    received: { content_type: 'application/json', files: [document], fields: {} },
    document,
    path,
  };

  const reader = createLargeDocumentReader();
  expect(await reader.read(request)).toMatchObject({ kind: 'v7.stage' });
  const waiting = [1, 2, 3].map(() => reader.read(request));
  const settled = Promise.allSettled(waiting);
  await reader.close();
  for (const outcome of await settled)
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'unavailable', message: expect.stringContaining('shutting down') },
    });
});
