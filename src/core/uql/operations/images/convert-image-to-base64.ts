// ConvertImageToBase64: an image as text. What came as base64 is given as it came, and a file as a JPEG.

import { defineOperation } from '../operation.ts';
import { imageOf, lookingAt } from './image-input.ts';

const CALL = 'encode_image_to_base64(...)';
const QUALITY = 95;

export const convertImageToBase64 = defineOperation({
  type: 'ConvertImageToBase64',
  summary: 'Gives an image as base64 text: as it came, or as a JPEG where it came as a file.',
  parameters: {},
  apply: (value, _settings, { images }, place) => {
    const source = imageOf(value, CALL, place);
    return source.kind === 'base64' ? source.text : encodeBase64(lookingAt(CALL, place, () => images.jpeg(value, QUALITY)));
  },
});

/** So many bytes at a time, for a call takes only so many arguments. */
const CHUNK = 8192;

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += CHUNK) binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  return btoa(binary);
}
