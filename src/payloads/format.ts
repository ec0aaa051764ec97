// The seam for payload formats. A format is pure: it says which received file is the document, reads it, and says which
// images must be whole; whoever holds the files fetches their bytes.

import type { FileHandle } from '../core/run/request.ts';
import type { PayloadSource } from '../core/sink/sink.ts';
import type { Payload } from './payload.ts';

/** A request as the intake has taken it apart. */
export interface Received {
  content_type: string | null;
  /** In the order in which they came; a JSON body is the one named `body`. File names are as the sender wrote them. */
  files: FileHandle[];
  /** Form fields, decoded; a name that came twice has a list. */
  fields: Record<string, unknown>;
}

/** The file that holds the JSON, with its bytes. */
export interface PayloadDocument {
  file: FileHandle;
  bytes: Uint8Array;
}

/** What was wrong with what a sender sent, and what would be right. */
export interface PayloadFault {
  /** A field, a file or a place in a document: `predictions`, `mask_0001.png`, `body.annotations[3].name`. */
  part: string;
  message: string;
}

export interface PayloadFormat {
  readonly source: PayloadSource;
  /** Which file to give to `read`; null where the fields say all. */
  readonly locate: (received: Received) => { document: FileHandle | null } | PayloadFault;
  /** Keeps nothing of the document's bytes. */
  readonly read: (received: Received, document: PayloadDocument | null) => Payload | PayloadFault;
  /** Files of a payload that must be whole images: each is for `checkImage`. */
  readonly images: (payload: Payload) => FileHandle[];
}

/** Tells a fault from what would have come in its place. */
export function isPayloadFault(result: object): result is PayloadFault {
  return Object.hasOwn(result, 'part') && Object.hasOwn(result, 'message');
}
