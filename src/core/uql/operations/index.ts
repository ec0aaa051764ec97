// The lists of operations, in the order of the documents.

import { classificationPropertyExtract } from './detections/classification-property-extract.ts';
import { detectionsFilter } from './detections/detections-filter.ts';
import { detectionsOffset } from './detections/detections-offset.ts';
import { detectionsPropertyExtract } from './detections/detections-property-extract.ts';
import { detectionsRename } from './detections/detections-rename.ts';
import { detectionsSelection } from './detections/detections-selection.ts';
import { detectionsShift } from './detections/detections-shift.ts';
import { detectionsToDictionary } from './detections/detections-to-dictionary.ts';
import { extractDetectionProperty } from './detections/extract-detection-property.ts';
import { pickDetectionsByParentClass } from './detections/pick-detections-by-parent-class.ts';
import { sortDetections } from './detections/sort-detections.ts';
import { convertImageToBase64 } from './images/convert-image-to-base64.ts';
import { convertImageToJpeg } from './images/convert-image-to-jpeg.ts';
import { extractFrameMetadata } from './images/extract-frame-metadata.ts';
import { extractImageProperty } from './images/extract-image-property.ts';
import type { Operation } from './operation.ts';
import { numericSequenceAggregate } from './sequences/numeric-sequence-aggregate.ts';
import { sequenceAggregate } from './sequences/sequence-aggregate.ts';
import { sequenceApply } from './sequences/sequence-apply.ts';
import { sequenceElementsCount } from './sequences/sequence-elements-count.ts';
import { sequenceJoin } from './sequences/sequence-join.ts';
import { sequenceLength } from './sequences/sequence-length.ts';
import { sequenceMap } from './sequences/sequence-map.ts';
import { decodeBase64 } from './sluice/decode-base64.ts';
import { encodeBase64 } from './sluice/encode-base64.ts';
import { formatDate } from './sluice/format-date.ts';
import { parseDate } from './sluice/parse-date.ts';
import { parseJson } from './sluice/parse-json.ts';
import { sha256 } from './sluice/sha256.ts';
import { convertDictionaryToJson } from './values/convert-dictionary-to-json.ts';
import { divide } from './values/divide.ts';
import { lookupTable } from './values/lookup-table.ts';
import { multiply } from './values/multiply.ts';
import { numberRound } from './values/number-round.ts';
import { randomNumber } from './values/random-number.ts';
import { stringMatches } from './values/string-matches.ts';
import { stringSubSequence } from './values/string-sub-sequence.ts';
import { stringToLowerCase } from './values/string-to-lower-case.ts';
import { stringToUpperCase } from './values/string-to-upper-case.ts';
import { timestampToIsoFormat } from './values/timestamp-to-iso-format.ts';
import { toBoolean } from './values/to-boolean.ts';
import { toNumber } from './values/to-number.ts';
import { convertToString } from './values/to-string.ts';

export const roboflowOperations: readonly Operation[] = [
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

/** Roboflow has no `/` in its types, so that none of them can take the type of one of these. */
export const ownOperations: readonly Operation[] = [decodeBase64, encodeBase64, parseJson, sha256, parseDate, formatDate];

export const operations: readonly Operation[] = [...roboflowOperations, ...ownOperations];
