// Decides whether parallel stages agree on an item, by class and for each pair of stages. Areas are compared by
// intersection over union. A tag agrees if both stages have it.

import type { Effort } from './effort.ts';
import { matchRegions } from './matching.ts';
import type { Region } from './region.ts';

export interface Annotation {
  class: string;
  /** Null for a tag. */
  region: Region | null;
  /** In the list of its stage. */
  index: number;
}

export interface ComparedStage {
  name: string;
  annotations: readonly Annotation[];
}

export interface ComparedPair {
  stages: readonly [string, string];
  /** Indexes into the lists of the two stages; null for a stage without a match. */
  annotations: readonly [number | null, number | null];
  iou: number;
}

export interface ClassAgreement {
  class: string;
  /** The lowest of all pairs. */
  iou: number;
  threshold: number;
  agreed: boolean;
  pairs: readonly ComparedPair[];
}

export interface Consensus {
  agreed: boolean;
  /** The lowest of all classes; 1 without annotations. */
  iou: number;
  /** Sorted by name. */
  classes: readonly ClassAgreement[];
}

/** Tolerance for float rounding of a full agreement. */
const ROUNDING = 1e-9;
/** The cost of recording one annotation's match, in elementary steps. */
const STEPS_OF_A_PAIR = 200;

/** Throws TooMuchEffort. */
export function findConsensus(stages: readonly ComparedStage[], thresholdOf: (className: string) => number, effort: Effort): Consensus {
  const byClass = stages.map(({ name, annotations }) => ({ name, classes: groupByClass(annotations) }));
  const names = [...new Set(byClass.flatMap(({ classes }) => [...classes.keys()]))].sort();
  const classes = names.map((className): ClassAgreement => {
    const pairs = byClass.flatMap((first, index) =>
      byClass
        .slice(index + 1)
        .flatMap((second) =>
          compare(first.classes.get(className) ?? [], second.classes.get(className) ?? [], effort).map(
            (pair): ComparedPair => ({ stages: [first.name, second.name], ...pair }),
          ),
        ),
    );
    const iou = lowest(pairs);
    const threshold = thresholdOf(className);
    return { class: className, iou, threshold, agreed: iou + ROUNDING >= threshold, pairs };
  });
  return { agreed: classes.every(({ agreed }) => agreed), iou: lowest(classes), classes };
}

function lowest(measured: readonly { iou: number }[]): number {
  return measured.reduce((least, { iou }) => Math.min(least, iou), 1);
}

function groupByClass(annotations: readonly Annotation[]): Map<string, Annotation[]> {
  const groups = new Map<string, Annotation[]>();
  for (const annotation of annotations) {
    const group = groups.get(annotation.class);
    if (group === undefined) groups.set(annotation.class, [annotation]);
    else group.push(annotation);
  }
  return groups;
}

/** Compares the annotations of one class: the matches, then the annotations without a match, then the tags. */
function compare(first: readonly Annotation[], second: readonly Annotation[], effort: Effort): Omit<ComparedPair, 'stages'>[] {
  effort.spend(STEPS_OF_A_PAIR * (first.length + second.length));
  const [areasOfFirst, areasOfSecond] = [first.filter(hasRegion), second.filter(hasRegion)];
  const regionOf = ({ region }: Annotation & { region: Region }): Region => region;
  const matches = matchRegions(areasOfFirst.map(regionOf), areasOfSecond.map(regionOf), effort);
  const matchedFirst = new Set(matches.map((match) => match.first));
  const matchedSecond = new Set(matches.map((match) => match.second));
  const indexOf = (annotations: readonly Annotation[], at: number): number => (annotations[at] as Annotation).index;
  return [
    ...matches.map(({ first: at, second: other, iou }) => ({
      annotations: [indexOf(areasOfFirst, at), indexOf(areasOfSecond, other)] as const,
      iou,
    })),
    ...areasOfFirst.filter((_, at) => !matchedFirst.has(at)).map(({ index }) => ({ annotations: [index, null] as const, iou: 0 })),
    ...areasOfSecond.filter((_, at) => !matchedSecond.has(at)).map(({ index }) => ({ annotations: [null, index] as const, iou: 0 })),
    ...compareTags(first.find(isTag), second.find(isTag)),
  ];
}

/** Repeated tags count once. */
function compareTags(first: Annotation | undefined, second: Annotation | undefined): Omit<ComparedPair, 'stages'>[] {
  if (first === undefined && second === undefined) return [];
  const hasBoth = first !== undefined && second !== undefined;
  return [{ annotations: [first?.index ?? null, second?.index ?? null], iou: hasBoth ? 1 : 0 }];
}

function hasRegion(annotation: Annotation): annotation is Annotation & { region: Region } {
  return annotation.region !== null;
}

function isTag({ region }: Annotation): boolean {
  return region === null;
}
