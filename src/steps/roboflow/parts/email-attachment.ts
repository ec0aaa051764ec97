// Attachments of a mail: text, received files, and images, inline or attached.

import type { MailAttachment } from '../../../core/delivery/outbound.ts';
import { strOf } from '../../../core/python/text.ts';
import { readImageSource } from '../../../core/uql/image-source.ts';
import { Bytes } from '../../../core/values/bytes.ts';
import { receivedFile } from '../../shared/received-file.ts';
import type { StepContext } from '../../step-type.ts';

const JPEG_QUALITY = 95;

/** Received files and bytes are attached unchanged, other values as text. */
export function plainAttachment(filename: string, value: unknown, context: StepContext): MailAttachment {
  const file = receivedFile(value, context);
  if (file !== null) return { filename, content: blobOf(file), contentType: file.content_type, cid: null };
  const content = value instanceof Bytes ? value.data : new TextEncoder().encode(strOf(value));
  return { filename, content, contentType: null, cid: null };
}

/** Like plainAttachment, but attaches an image as JPEG. Throws the errors of Images. */
export function attachment(filename: string, value: unknown, context: StepContext): MailAttachment {
  if (receivedFile(value, context) !== null || !isImage(value)) return plainAttachment(filename, value, context);
  const hasJpegName = /\.jpe?g$/i.test(filename);
  return jpegAttachment(hasJpegName ? filename : `${filename}.jpg`, value, context, null);
}

/** Returns an inline image of the mail's HTML, or null for another value. Throws the errors of Images. */
export function inlineImage(cid: string, value: unknown, context: StepContext): MailAttachment | null {
  const file = receivedFile(value, context);
  if (file?.content_type.startsWith('image/') === true) {
    return { filename: file.filename ?? cid, content: blobOf(file), contentType: file.content_type, cid };
  }
  return file === null && isImage(value) ? jpegAttachment(`${cid}.jpg`, value, context, cid) : null;
}

function jpegAttachment(filename: string, value: unknown, { images }: StepContext, cid: string | null): MailAttachment {
  return { filename, content: images.jpeg(value, JPEG_QUALITY), contentType: 'image/jpeg', cid };
}

function blobOf({ sha256, size }: { sha256: string; size: number }): { sha256: string; size: number } {
  return { sha256, size };
}

function isImage(value: unknown): boolean {
  const source = readImageSource(value);
  return source?.kind === 'base64';
}
