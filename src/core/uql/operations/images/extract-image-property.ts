// ExtractImageProperty: the size of an image.

import { toValue } from '../../../python/number.ts';
import { defineOperation } from '../operation.ts';
import { choiceParameter } from '../parameter.ts';
import { imageOf, readingImage } from './image-input.ts';

interface Size {
  width: number;
  height: number;
}

const properties = {
  size: ({ width, height }: Size): unknown => width * height,
  height: ({ height }: Size): unknown => height,
  width: ({ width }: Size): unknown => width,
  aspect_ratio: ({ width, height }: Size): unknown => (height === 0 ? 0 : toValue(width / height)),
};

/** Roboflow's messages use the name of another operation here. */
const CALL = 'extract_detections_property(...)';

export const extractImageProperty = defineOperation({
  type: 'ExtractImageProperty',
  summary: 'Returns the width, height, number of pixels or aspect ratio of an image.',
  parameters: {
    property_name: choiceParameter(Object.keys(properties) as (keyof typeof properties)[], {
      description: 'The property; `size` is width times height',
    }),
  },
  apply: (value, { property_name: name }, { images }, place) => {
    imageOf(value, CALL, place);
    return properties[name](readingImage(CALL, place, () => images.size(value)));
  },
});
