// DetectionsOffset: boxes made larger or smaller around their centre, beyond the image too.

import { defineOperation } from '../operation.ts';
import { integerParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

export const detectionsOffset = defineOperation({
  type: 'DetectionsOffset',
  summary: 'Makes the boxes of detections larger, half the offset on each side.',
  takesDetections: true,
  parameters: {
    offset_x: integerParameter({ description: 'How much wider, in pixels; negative ones make it narrower' }),
    offset_y: integerParameter({ description: 'How much higher, in pixels; negative ones make it lower' }),
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
