// ConvertImageToBase64: an image as base64 text. Base64 stays unchanged; a file is encoded as a JPEG.

import { defineOperation } from '../operation.ts';
import { imageOf, readingImage } from './image-input.ts';

const CALL = 'encode_image_to_base64(...)';
const QUALITY = 95;

export const convertImageToBase64 = defineOperation({
  type: 'ConvertImageToBase64',
  summary: 'Returns an image as base64 text: unchanged if it is base64 already, as a JPEG if it is a file.',
  parameters: {},
  apply: (value, _settings, { images }, place) => {
    const source = imageOf(value, CALL, place);
    return source.kind === 'base64' ? source.text : encodeBase64(readingImage(CALL, place, () => images.jpeg(value, QUALITY)));
  },
});

/** Bytes per call, because the number of arguments of a call is limited. */
const CHUNK = 8192;

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += CHUNK) binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  return btoa(binary);
}
