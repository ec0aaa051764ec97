// DetectionsOffset: boxes enlarged or shrunk around their centre, even beyond the image.

import { defineOperation } from '../operation.ts';
import { integerParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

export const detectionsOffset = defineOperation({
  type: 'DetectionsOffset',
  summary: 'Enlarges the boxes of detections by half the offset on each side.',
  takesDetections: true,
  parameters: {
    offset_x: integerParameter({ description: 'The change of width in pixels; a negative offset shrinks the box' }),
    offset_y: integerParameter({ description: 'The change of height in pixels; a negative offset shrinks the box' }),
  },
  apply: (value, { offset_x: x, offset_y: y }) => {
    const detections = detectionsOf(value, 'offset_detections(...)');
    return detections.with(
      detections.items.map((detection) => {
        const { xMin, yMin, xMax, yMax } = detection.box;
        return detection.with({ box: { xMin: xMin - x / 2, yMin: yMin - y / 2, xMax: xMax + x / 2, yMax: yMax + y / 2 } });
      }),
    );
  },
});
