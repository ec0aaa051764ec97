// ConvertImageToJPEG: an image as the bytes of a JPEG file.

import { Bytes } from '../../../values/bytes.ts';
import { defineOperation } from '../operation.ts';
import { integerParameter } from '../parameter.ts';
import { imageOf, readingImage } from './image-input.ts';

const CALL = 'encode_image_to_jpeg(...)';

export const convertImageToJpeg = defineOperation({
  type: 'ConvertImageToJPEG',
  summary: 'Returns an image as the bytes of a JPEG file, for multipart bodies and attachments.',
  parameters: { compression_level: integerParameter({ description: 'The quality of the JPEG', minimum: 1, maximum: 100, fallback: 95 }) },
  apply: (value, { compression_level: quality }, { images }, place) => {
    imageOf(value, CALL, place);
    return new Bytes(readingImage(CALL, place, () => images.jpeg(value, quality)));
  },
});
