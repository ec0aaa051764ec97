// What reads a body while it comes in, and what it has read at the end.

import type { ArrivedContent } from './arrival.ts';

/** Takes the body chunk by chunk; neither call rejects. */
export interface ContentReader {
  write(chunk: Buffer): void | Promise<void>;
  end(): ReadContent | Promise<ReadContent>;
}

export interface ReadContent {
  content: ArrivedContent;
  faults: string[];
}
