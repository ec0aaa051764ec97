// DetectionsFilter: the detections that meet a condition.

import { defineOperation } from '../operation.ts';
import { statementGroupParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

export const detectionsFilter = defineOperation({
  type: 'DetectionsFilter',
  summary: 'Keeps the detections that meet a condition.',
  takesDetections: true,
  parameters: { filter_operation: statementGroupParameter({ description: 'The condition; its operand "_" is the detection' }) },
  apply: (value, { filter_operation: holds }, context) => {
    const detections = detectionsOf(value, 'filter_detections(...)');
    return detections.with(detections.items.filter((detection) => holds({ ...context.parameters, _: detection }, context)));
  },
});
