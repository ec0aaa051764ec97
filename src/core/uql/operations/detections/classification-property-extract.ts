// ClassificationPropertyExtract: classes or confidences of a classification, multi-class (`top`, a list of predictions) or
// multi-label (`predicted_classes`, predictions by class).

import { PythonError } from '../../../python/error.ts';
import { isDict, typeName } from '../../../python/kind.ts';
import { toValue } from '../../../python/number.ts';
import { isOrdered, sortedByValue } from '../../../python/ordering.ts';
import { hashOf, itemAt, itemsOf } from '../../../python/sequence.ts';
import { defineOperation } from '../operation.ts';
import { shownValue, wrongInput } from '../operation-fault.ts';
import { choiceParameter } from '../parameter.ts';

type Classification = Record<string, unknown>;

const extractors = {
  top_class: topClass,
  top_class_confidence: (classification: Classification) =>
    fieldOr(classification, 'confidence', () => predictedConfidences(classification)),
  top_class_confidence_single: topConfidence,
  all_classes: (classification: Classification) => allOf(classification, 'class'),
  all_confidences: (classification: Classification) => allOf(classification, 'confidence'),
};

export const classificationPropertyExtract = defineOperation({
  type: 'ClassificationPropertyExtract',
  summary: 'Extracts the top class, all classes or their confidences from a classification.',
  parameters: {
    property_name: choiceParameter(Object.keys(extractors) as (keyof typeof extractors)[], { description: 'The value to extract' }),
  },
  apply: (value, { property_name: name }) => {
    if (isDict(value)) return extractors[name](value);
    throw wrongInput(`Executing extract_classification_property(...), expected classification results object, got ${shownValue(value)}`);
  },
});

function topClass(classification: Classification): unknown {
  return fieldOr(classification, 'top', () => fieldOr(classification, 'predicted_classes', () => []));
}

/** A field that is null counts as present. */
function fieldOr(classification: Classification, name: string, other: () => unknown): unknown {
  return Object.hasOwn(classification, name) ? classification[name] : other();
}

function predictedConfidences(classification: Classification): unknown[] {
  const names = itemsOf(fieldOr(classification, 'predicted_classes', () => []));
  return names.map((name) => itemAt(itemAt(itemAt(classification, 'predictions'), name as string), 'confidence'));
}

function topConfidence(classification: Classification): unknown {
  if (Object.hasOwn(classification, 'confidence')) return classification['confidence'];
  const confidences = predictedConfidences(classification);
  if (confidences.length === 0) return toValue(0);
  return confidences.reduce((best, confidence) => (isOrdered(confidence, '>', best) ? confidence : best));
}

/** In list order or sorted by class id; if several classes have one id, the last one counts. */
function allOf(classification: Classification, name: 'class' | 'confidence'): unknown[] {
  const predictions = itemAt(classification, 'predictions');
  if (Array.isArray(predictions)) return predictions.map((prediction) => itemAt(prediction, name));
  if (!isDict(predictions)) {
    throw new PythonError(
      'AttributeError',
      `'${typeName(predictions)}' object has no attribute '${name === 'class' ? 'items' : 'values'}'`,
    );
  }
  const byId = new Map<string, { id: unknown; item: unknown }>();
  for (const [className, prediction] of Object.entries(predictions)) {
    const id = itemAt(prediction, 'class_id');
    byId.set(hashOf(id), { id, item: name === 'class' ? className : itemAt(prediction, name) });
  }
  return sortedByValue([...byId.values()], ({ id }) => id).map(({ item }) => item);
}
