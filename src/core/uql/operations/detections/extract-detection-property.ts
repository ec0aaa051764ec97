// ExtractDetectionProperty: a property of one detection, inside SequenceApply or DetectionsFilter.

import { readDetection } from '../../detections.ts';
import { defineOperation } from '../operation.ts';
import { shownValue, wrongInput } from '../operation-fault.ts';
import { detectionPropertyParameter, propertyOf } from './detection-property.ts';

export const extractDetectionProperty = defineOperation({
  type: 'ExtractDetectionProperty',
  summary: 'Extracts a property of one detection, within SequenceApply or DetectionsFilter; null if the detection lacks it.',
  takesDetections: true,
  parameters: { property_name: detectionPropertyParameter },
  apply: (value, { property_name: name }, _context, place) => {
    const detection = readDetection(value);
    if (detection !== null) return propertyOf(detection, name, false) ?? null;
    throw wrongInput(
      `While executing extract_detection_property(...) operation in context ${place} it was expected to get 6-elements tuple representing single element. Got value: ${shownValue(value)} `,
    );
  },
});
