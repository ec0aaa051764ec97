// DetectionsToDictionary: detections in the form of Roboflow's responses.

import { detectionsJson } from '../../detections-json.ts';
import { defineOperation } from '../operation.ts';
import { detectionsOf } from './detections-input.ts';

export const detectionsToDictionary = defineOperation({
  type: 'DetectionsToDictionary',
  summary: "Converts detections to the form of Roboflow's responses.",
  takesDetections: true,
  parameters: {},
  apply: (value, _settings, _context, place) => detectionsJson(detectionsOf(value, `detections_to_dictionary(...) in context ${place}`)),
});
