// An outbound message as two columns: its JSON text without bytes, and the concatenated bytes of its parts. A message with
// the body of the run's request stores no bytes: they are those of the run.

import { type BlobPart, type BodyPart, isRequestPart, type OutboundMessage, type RequestPart } from '../../../core/delivery/outbound.ts';

export interface PackedMessage {
  text: string;
  body: Uint8Array;
}

/** A part in the text: its length, the blob that it names, or the request. */
type PackedPart = number | BlobPart | RequestPart;

/** SQLite reads the length of a column without its bytes. */
const SENDS_REQUEST = "length(delivery_messages.body) = 0 AND message ->> '$.body[0].request'";
/** The expressions for the bytes of a message and their number, beside `run_id`. The text is searched only without bytes. */
export const MESSAGE_BYTES = `CASE WHEN ${SENDS_REQUEST} THEN (SELECT runs.body FROM runs WHERE runs.id = run_id) ELSE delivery_messages.body END`;
export const MESSAGE_SIZE = `CASE WHEN ${SENDS_REQUEST} THEN (SELECT length(runs.body) FROM runs WHERE runs.id = run_id) ELSE length(delivery_messages.body) END`;

export function packMessage(message: OutboundMessage): PackedMessage {
  const bytes: Uint8Array[] = [];
  const pack = (part: BodyPart): PackedPart => {
    if (!(part instanceof Uint8Array)) return part;
    bytes.push(part);
    return part.byteLength;
  };
  const packed =
    message.transport === 'http'
      ? { ...message, body: message.body?.map(pack) ?? null }
      : { ...message, attachments: message.attachments.map((attachment) => ({ ...attachment, content: pack(attachment.content) })) };
  return { text: JSON.stringify(packed), body: joinBytes(bytes) };
}

/** The parsed text of a message. Several messages may share one; `fillMessage` adds the bytes. */
export type MessageOutline =
  | { transport: 'http'; body: PackedPart[] | null }
  | { transport: 'smtp'; attachments: { content: PackedPart }[] };

export function fillMessage(outline: MessageOutline, bytes: Uint8Array): OutboundMessage {
  let at = 0;
  const fill = (part: PackedPart): BodyPart => {
    if (typeof part !== 'number') return isRequestPart(part) ? bytes : part;
    at += part;
    return bytes.subarray(at - part, at);
  };
  const filled =
    outline.transport === 'http'
      ? { ...outline, body: outline.body?.map(fill) ?? null }
      : { ...outline, attachments: outline.attachments.map((attachment) => ({ ...attachment, content: fill(attachment.content) })) };
  return filled as OutboundMessage;
}

export function unpackMessage(text: string, body: Uint8Array): OutboundMessage {
  return fillMessage(JSON.parse(text) as MessageOutline, body);
}

/** Returns bytes with a buffer of their own. A view would be copied to the other thread with the whole of its buffer. */
function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined && only.byteLength === only.buffer.byteLength) return only;
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
