// The interface of readers that receive a body in chunks.

import type { ArrivedContent } from './arrival.ts';

/** Neither method rejects. */
export interface ContentReader {
  write(chunk: Buffer): void | Promise<void>;
  end(): ReadContent | Promise<ReadContent>;
}

export interface ReadContent {
  content: ArrivedContent;
  faults: string[];
}
