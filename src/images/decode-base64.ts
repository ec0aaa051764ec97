// The bytes that base64 text stands for, with or without `data:…;base64,` before it.

import { ImageFault } from '../core/uql/image.ts';

const DATA_URL = /^data:[^,]{0,200};base64,/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Throws ImageFault for text that is no base64. */
export function decodeBase64(text: string): Uint8Array {
  const digits = text.replace(DATA_URL, '').replace(/\s+/g, '');
  if (!BASE64.test(digits)) throw new ImageFault('the image is no base64 text');
  return Buffer.from(digits, 'base64');
}
