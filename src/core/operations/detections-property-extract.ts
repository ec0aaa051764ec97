// DetectionsPropertyExtract: one property of all detections, as a list.

import { PythonError } from '../python/error.ts';
import { reprOf } from '../python/text.ts';
import { detectionPropertyParameter, isOfEveryDetection, propertyOf } from './detection-property.ts';
import { detectionsOf } from './detections-input.ts';
import { defineOperation } from './operation.ts';

export const detectionsPropertyExtract = defineOperation({
  type: 'DetectionsPropertyExtract',
  summary: 'Takes one property of all detections, as a list; points are in whole pixels.',
  takesDetections: true,
  parameters: { property_name: detectionPropertyParameter },
  apply: (value, { property_name: name }, _context, place) => {
    const { items } = detectionsOf(value, `extract_detections_property(...) in context ${place}`);
    const properties = items.map((detection) => propertyOf(detection, name, true));
    if (!isOfEveryDetection(name) && properties.every((property) => property === undefined))
      throw new PythonError('KeyError', reprOf(name));
    return properties.map((property) => property ?? null);
  },
});
