// ConvertImageToJPEG: an image as the bytes of a JPEG.

import { Bytes } from '../../../values/bytes.ts';
import { defineOperation } from '../operation.ts';
import { integerParameter } from '../parameter.ts';
import { imageOf, lookingAt } from './image-input.ts';

const CALL = 'encode_image_to_jpeg(...)';

export const convertImageToJpeg = defineOperation({
  type: 'ConvertImageToJPEG',
  summary: 'Gives an image as the bytes of a JPEG, for multipart bodies and attachments.',
  parameters: { compression_level: integerParameter({ description: "JPEG's quality", minimum: 1, maximum: 100, fallback: 95 }) },
  apply: (value, { compression_level: quality }, { images }, place) => {
    imageOf(value, CALL, place);
    return new Bytes(lookingAt(CALL, place, () => images.jpeg(value, quality)));
  },
});
