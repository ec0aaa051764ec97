// DetectionsPropertyExtract: one property of all detections, as a list.

import { PythonError } from '../../../python/error.ts';
import { reprOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { detectionPropertyParameter, hasProperty, propertyOf } from './detection-property.ts';
import { detectionsOf } from './detections-input.ts';

export const detectionsPropertyExtract = defineOperation({
  type: 'DetectionsPropertyExtract',
  summary: 'Extracts one property of all detections as a list; points are rounded to whole pixels.',
  takesDetections: true,
  parameters: { property_name: detectionPropertyParameter },
  apply: (value, { property_name: name }, _context, place) => {
    const detections = detectionsOf(value, `extract_detections_property(...) in context ${place}`);
    if (!hasProperty(detections, name)) throw new PythonError('KeyError', reprOf(name));
    return detections.items.map((detection) => propertyOf(detection, name, true) ?? null);
  },
});
