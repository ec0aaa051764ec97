// The interface of a payload format. A format is pure: it selects the document among the received files, reads it, and
// lists the images to check. Its caller loads the bytes.

import type { FileHandle } from '../core/run/request.ts';
import type { PayloadSource } from '../core/sink/sink.ts';
import type { Payload } from './payload.ts';

/** A request, split into files and fields. */
export interface Received {
  content_type: string | null;
  /** In the order of the request. A JSON body is the file `body`. File names are as the sender wrote them. */
  files: FileHandle[];
  /** Decoded form fields. A repeated name has a list of values. */
  fields: Record<string, unknown>;
}

/** The file that contains the JSON, with its bytes. */
export interface PayloadDocument {
  file: FileHandle;
  bytes: Uint8Array;
}

/** One mistake in a request: its place, what is wrong, and what would be right. */
export interface PayloadFault {
  /** A field, a file or a place in a document: `predictions`, `mask_0001.png`, `body.annotations[3].name`. */
  part: string;
  message: string;
}

export interface PayloadFormat {
  readonly source: PayloadSource;
  /** Selects the file to pass to `read`; null if the form fields contain everything. */
  readonly locate: (received: Received) => { document: FileHandle | null } | PayloadFault;
  /** The result does not reference the document's bytes. */
  readonly read: (received: Received, document: PayloadDocument | null) => Payload | PayloadFault;
  /** The image files of a payload, each to be checked by `checkImage`. */
  readonly images: (payload: Payload) => FileHandle[];
}

export function isPayloadFault(result: object): result is PayloadFault {
  return Object.hasOwn(result, 'part') && Object.hasOwn(result, 'message');
}
