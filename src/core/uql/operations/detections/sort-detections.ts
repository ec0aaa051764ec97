// SortDetections: sorted detections. Equals keep their order if ascending, and reverse it if descending.

import type { Detection } from '../../detections.ts';
import { defineOperation } from '../operation.ts';
import { booleanParameter, choiceParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

const ranks = {
  confidence: ({ confidence }: Detection) => confidence,
  x_min: ({ box }: Detection) => box.xMin,
  x_max: ({ box }: Detection) => box.xMax,
  y_min: ({ box }: Detection) => box.yMin,
  y_max: ({ box }: Detection) => box.yMax,
  size: ({ box }: Detection) => (box.xMax - box.xMin) * (box.yMax - box.yMin),
  center_x: ({ box }: Detection) => (box.xMin + box.xMax) / 2,
  center_y: ({ box }: Detection) => (box.yMin + box.yMax) / 2,
};

export const sortDetections = defineOperation({
  type: 'SortDetections',
  summary: 'Sorts detections.',
  takesDetections: true,
  parameters: {
    mode: choiceParameter(Object.keys(ranks) as (keyof typeof ranks)[], { description: 'The sort key' }),
    ascending: booleanParameter({ description: 'Whether the smallest comes first', fallback: true }),
  },
  apply: (value, { mode, ascending }) => {
    const detections = detectionsOf(value, 'sort_detections(...)');
    const rank = ranks[mode];
    const sorted = [...detections.items].sort((left, right) => rank(left) - rank(right));
    return detections.with(ascending ? sorted : sorted.reverse());
  },
});
