// Decodes base64 text, with or without a leading `data:…;base64,`.

import { ImageFault } from '../core/uql/image.ts';

const DATA_URL = /^data:[^,]{0,200};base64,/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Throws ImageFault when the text is not base64. */
export function decodeBase64(text: string): Uint8Array {
  const digits = text.replace(DATA_URL, '').replace(/\s+/g, '');
  if (!BASE64.test(digits)) throw new ImageFault('the image is not base64 text');
  return Buffer.from(digits, 'base64');
}
