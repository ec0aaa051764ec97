// DetectionsShift: boxes moved, even beyond the image.

import { defineOperation } from '../operation.ts';
import { integerParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

export const detectionsShift = defineOperation({
  type: 'DetectionsShift',
  summary: 'Moves the boxes of detections.',
  takesDetections: true,
  parameters: {
    shift_x: integerParameter({ description: 'The distance to the right, in pixels' }),
    shift_y: integerParameter({ description: 'The distance down, in pixels' }),
  },
  apply: (value, { shift_x: x, shift_y: y }) => {
    const detections = detectionsOf(value, 'shift_detections(...)');
    return detections.with(
      detections.items.map((detection) => {
        const { xMin, yMin, xMax, yMax } = detection.box;
        return detection.with({ box: { xMin: xMin + x, yMin: yMin + y, xMax: xMax + x, yMax: yMax + y } });
      }),
    );
  },
});
