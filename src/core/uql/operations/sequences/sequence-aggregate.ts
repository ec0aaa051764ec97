// SequenceAggregate: one item of a sequence, by position or by frequency.

import { isPythonError } from '../../../python/error.ts';
import { classText, isDict } from '../../../python/kind.ts';
import { sortedByValue } from '../../../python/ordering.ts';
import { hashOf, itemAt } from '../../../python/sequence.ts';
import { readDetections } from '../../detections.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { choiceParameter } from '../parameter.ts';
import { itemsOf, lengthOf } from './sequence.ts';

export const sequenceAggregate = defineOperation({
  type: 'SequenceAggregate',
  summary: 'Returns one item of a sequence: the first, the last, the most common or the least common.',
  takesDetections: true,
  parameters: { mode: choiceParameter(['first', 'last', 'most_common', 'least_common'], { description: 'Which item' }) },
  apply: (value, { mode }, _context, place) => {
    try {
      if (lengthOf(value) === 0) {
        throw wrongInput(
          `While executing aggregate_sequence(...) in context ${place}, encountered value empty sequence which cannot be aggregated`,
        );
      }
      if (mode === 'first') return itemByPlace(value, 0);
      if (mode === 'last') return itemByPlace(value, -1);
      return itemsByFrequency(value).at(mode === 'most_common' ? 0 : -1);
    } catch (error) {
      if (!isPythonError(error, 'TypeError', 'ValueError')) throw error;
      throw wrongInput(
        `While executing aggregate_sequence(...) in context ${place}, encountered value of type ${classText(value)} which is not suited to execute operation. Details: ${error.message}`,
      );
    }
  },
});

/** One item of detections is detections with one item. */
function itemByPlace(value: unknown, place: 0 | -1): unknown {
  const detections = readDetections(value);
  return detections === null ? itemAt(value, place) : detections.with(detections.items.slice(place).slice(0, 1));
}

/** As Python's Counter orders them: by descending frequency, equals in order of first occurrence. */
function itemsByFrequency(value: unknown): unknown[] {
  return sortedByValue(countsOf(value), ({ count }) => count, 'descending').map(({ item }) => item);
}

function countsOf(value: unknown): { item: unknown; count: unknown }[] {
  // Python's Counter of a dict uses its values as counts.
  if (isDict(value) && readDetections(value) === null) return Object.entries(value).map(([item, count]) => ({ item, count }));
  const counts = new Map<string, { item: unknown; count: number }>();
  for (const item of itemsOf(value)) {
    const hash = hashOf(item);
    const seen = counts.get(hash);
    if (seen === undefined) counts.set(hash, { item, count: 1 });
    else seen.count += 1;
  }
  return [...counts.values()];
}
