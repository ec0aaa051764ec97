// The temporary files of a data directory: bodies that are being received.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export function incomingFiles(dataDir: string): string[] {
  const incoming = join(dataDir, 'blobs', 'incoming');
  return readdirSync(incoming).flatMap((owner) => readdirSync(join(incoming, owner)));
}
