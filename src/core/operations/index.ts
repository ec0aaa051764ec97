// The one list of operations, in the order of the documents.

import { classificationPropertyExtract } from './classification-property-extract.ts';
import { convertDictionaryToJson } from './convert-dictionary-to-json.ts';
import { convertImageToBase64 } from './convert-image-to-base64.ts';
import { convertImageToJpeg } from './convert-image-to-jpeg.ts';
import { detectionsFilter } from './detections-filter.ts';
import { detectionsOffset } from './detections-offset.ts';
import { detectionsPropertyExtract } from './detections-property-extract.ts';
import { detectionsRename } from './detections-rename.ts';
import { detectionsSelection } from './detections-selection.ts';
import { detectionsShift } from './detections-shift.ts';
import { detectionsToDictionary } from './detections-to-dictionary.ts';
import { divide } from './divide.ts';
import { extractDetectionProperty } from './extract-detection-property.ts';
import { extractFrameMetadata } from './extract-frame-metadata.ts';
import { extractImageProperty } from './extract-image-property.ts';
import { lookupTable } from './lookup-table.ts';
import { multiply } from './multiply.ts';
import { numberRound } from './number-round.ts';
import { numericSequenceAggregate } from './numeric-sequence-aggregate.ts';
import type { Operation } from './operation.ts';
import { pickDetectionsByParentClass } from './pick-detections-by-parent-class.ts';
import { randomNumber } from './random-number.ts';
import { sequenceAggregate } from './sequence-aggregate.ts';
import { sequenceApply } from './sequence-apply.ts';
import { sequenceElementsCount } from './sequence-elements-count.ts';
import { sequenceJoin } from './sequence-join.ts';
import { sequenceLength } from './sequence-length.ts';
import { sequenceMap } from './sequence-map.ts';
import { sortDetections } from './sort-detections.ts';
import { stringMatches } from './string-matches.ts';
import { stringSubSequence } from './string-sub-sequence.ts';
import { stringToLowerCase } from './string-to-lower-case.ts';
import { stringToUpperCase } from './string-to-upper-case.ts';
import { timestampToIsoFormat } from './timestamp-to-iso-format.ts';
import { toBoolean } from './to-boolean.ts';
import { toNumber } from './to-number.ts';
import { convertToString } from './to-string.ts';

export const operations: readonly Operation[] = [
  stringToLowerCase,
  stringToUpperCase,
  lookupTable,
  toNumber,
  numberRound,
  sequenceMap,
  sequenceApply,
  numericSequenceAggregate,
  sequenceAggregate,
  convertToString,
  toBoolean,
  stringSubSequence,
  stringMatches,
  sequenceLength,
  sequenceElementsCount,
  sequenceJoin,
  multiply,
  divide,
  randomNumber,
  timestampToIsoFormat,
  convertDictionaryToJson,
  classificationPropertyExtract,
  detectionsPropertyExtract,
  extractDetectionProperty,
  detectionsToDictionary,
  detectionsFilter,
  detectionsOffset,
  detectionsShift,
  detectionsSelection,
  sortDetections,
  detectionsRename,
  pickDetectionsByParentClass,
  extractImageProperty,
  extractFrameMetadata,
  convertImageToJpeg,
  convertImageToBase64,
];
