// The bytes of a run's body and outputs as sources. Outputs are shown with their secrets masked: bytes are counted in the masked
// text, so that no range cuts a placeholder and shows what is left of it.

import type { ServerResponse } from 'node:http';
import { PLACEHOLDER_PREFIX } from '../../../core/secrets/placeholder.ts';
import { AppError } from '../../../errors.ts';
import type { MemoryAccount } from '../../../memory-budget.ts';
import type { RunPart } from '../../../storage/runs/part-store.ts';
import type { Storage } from '../../../storage/storage.ts';
import type { MaskSecrets } from '../shown-secrets.ts';
import { type ByteSource, piecesOf, reserveUntilClosed } from './send-bytes.ts';

export interface StoredByteTools {
  storage: Pick<Storage, 'findOutput' | 'readPart'>;
  account: MemoryAccount;
  maskSecrets: MaskSecrets;
}

/** SQLite walks a value from its beginning for each slice. */
const SLICE_BYTES = 4 * 2 ** 20;
/** The bytes, their text, and the masked text. */
const MASKED_COPIES = 3;

/** `size` is that of the part. */
export function storedBytes(
  storage: Pick<Storage, 'readPart'>,
  { runId, part, size }: { runId: string; part: RunPart; size: number },
): ByteSource {
  return {
    size,
    sliceBytes: SLICE_BYTES,
    async *pieces(from, end) {
      for (let at = from; at < end; at += SLICE_BYTES) {
        const length = Math.min(SLICE_BYTES, end - at);
        const slice = await storage.readPart(runId, part, at, length);
        if (slice?.byteLength !== length) throw removed();
        yield* piecesOf(slice);
      }
    },
  };
}

/** Null: there is no such output. One with placeholders is read whole, and memory is reserved for it. */
export async function outputBytes(
  tools: StoredByteTools,
  response: ServerResponse,
  { runId, part }: { runId: string; part: Exclude<RunPart, { kind: 'body' }> },
): Promise<ByteSource | null> {
  const { storage, account, maskSecrets } = tools;
  const found = await storage.findOutput(runId, part, PLACEHOLDER_PREFIX);
  if (found === null) return null;
  if (!found.hasText) return storedBytes(storage, { runId, part, size: found.size });
  await reserveUntilClosed(response, account, MASKED_COPIES * found.size);
  const stored = await storage.readPart(runId, part, 0, found.size);
  if (stored === null) throw removed();
  // Latin-1 maps every byte to one character and back.
  const masked = Buffer.from(maskSecrets(runId, Buffer.from(stored).toString('latin1')), 'latin1');
  return {
    size: masked.byteLength,
    sliceBytes: 0,
    async *pieces(from, end) {
      yield* piecesOf(masked.subarray(from, end));
    },
  };
}

function removed(): AppError {
  return new AppError('not_found', 'the run was removed while it was read');
}
