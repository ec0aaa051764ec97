// PickDetectionsByParentClass: the detections of one class, and all others whose centre is inside one of them.

import type { Box, Detection } from '../../detections.ts';
import { defineOperation } from '../operation.ts';
import { textParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

export const pickDetectionsByParentClass = defineOperation({
  type: 'PickDetectionsByParentClass',
  summary: 'Keeps the detections of a class, followed by all others whose centre is inside one of them.',
  takesDetections: true,
  parameters: { parent_class: textParameter({ description: 'The class of the enclosing detections' }) },
  apply: (value, { parent_class: parentClass }, _context, place) => {
    const detections = detectionsOf(value, `pick_detections_by_parent_class(...) in context ${place}`);
    const parents = detections.items.filter(({ className }) => className === parentClass);
    const children = detections.items.filter(({ className }) => className !== parentClass);
    return detections.with([...parents, ...children.filter((child) => parents.some((parent) => isCenterInside(child, parent.box)))]);
  },
});

/** The border is inside. */
function isCenterInside({ box }: Detection, { xMin, yMin, xMax, yMax }: Box): boolean {
  const x = (box.xMin + box.xMax) / 2;
  const y = (box.yMin + box.yMax) / 2;
  return xMin <= x && x <= xMax && yMin <= y && y <= yMax;
}
