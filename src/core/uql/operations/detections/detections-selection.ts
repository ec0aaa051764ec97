// DetectionsSelection: one detection, or none if there are none; the first of equals.

import type { Detection } from '../../detections.ts';
import { defineOperation } from '../operation.ts';
import { choiceParameter } from '../parameter.ts';
import { detectionsOf } from './detections-input.ts';

type Selector = (items: readonly Detection[]) => Detection | undefined;

const selectors = {
  left_most: greatestBy((detection) => -centerX(detection)),
  right_most: greatestBy(centerX),
  top_confidence: greatestBy(({ confidence }) => confidence),
  first: (items: readonly Detection[]) => items[0],
  last: (items: readonly Detection[]) => items.at(-1),
} satisfies Record<string, Selector>;

export const detectionsSelection = defineOperation({
  type: 'DetectionsSelection',
  summary: 'Selects one detection.',
  takesDetections: true,
  parameters: {
    mode: choiceParameter(Object.keys(selectors) as (keyof typeof selectors)[], {
      description: 'Which detection; left and right compare the centres of boxes',
    }),
  },
  apply: (value, { mode }) => {
    const detections = detectionsOf(value, 'select_detections(...)');
    const selected = selectors[mode](detections.items);
    return detections.with(selected === undefined ? [] : [selected]);
  },
});

function centerX({ box }: Detection): number {
  return (box.xMin + box.xMax) / 2;
}

function greatestBy(rank: (detection: Detection) => number): Selector {
  return (items) => {
    const [first, ...others] = items;
    return first === undefined ? undefined : others.reduce((best, item) => (rank(item) > rank(best) ? item : best), first);
  };
}
