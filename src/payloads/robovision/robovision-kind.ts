// Determines which of Robovision's five project kinds a document belongs to: by its `kind`, else by its shape.

import type { JsonCursor } from '../json-cursor.ts';

export type RobovisionKind =
  | 'object_detection'
  | 'image_classification'
  | 'multilabel_classification'
  | 'instance_segmentation'
  | 'semantic_segmentation';

/** Keys are the letters of `kind` before its version, in lower case. */
const KINDS: ReadonlyMap<string, RobovisionKind> = new Map([
  ['objectdetection', 'object_detection'],
  ['imageclassification', 'image_classification'],
  ['multilabelimageclassification', 'multilabel_classification'],
  ['multilabelclassification', 'multilabel_classification'],
  ['instancesegmentation', 'instance_segmentation'],
  ['semanticsegmentation', 'semantic_segmentation'],
]);

/** The keys of a document's list, with the kind that an empty list stands for. */
const LISTS: ReadonlyMap<string, RobovisionKind> = new Map([
  ['objects', 'object_detection'],
  ['labels', 'multilabel_classification'],
  ['instances', 'instance_segmentation'],
  ['segments', 'semantic_segmentation'],
  ['predictions', 'object_detection'],
]);

export const CLASS_KEYS = ['classId', 'class', 'label', 'className'] as const;
export const BOX_KEYS = ['boundingBox', 'bounding_box', 'bbox', 'box'] as const;

export function readKind(document: JsonCursor): RobovisionKind {
  const kind = document.at('kind').textIfAny()?.split('.')[0] ?? '';
  return KINDS.get(kind.toLowerCase().replaceAll(/[^a-z]/g, '')) ?? guessKind(document);
}

/** The list of results: the document itself, or its list under a known key. */
export function findList(document: JsonCursor): JsonCursor | null {
  if (document.isList) return document;
  const key = [...LISTS.keys()].find((name) => document.at(name).isList);
  return key === undefined ? null : document.at(key);
}

function listKeys(): string {
  return [...LISTS.keys()].join(', ');
}

function guessKind(document: JsonCursor): RobovisionKind {
  const list = findList(document);
  if (list === null) {
    if (document.firstOf(CLASS_KEYS).isGiven) return 'image_classification';
    return document.refuse(`has no known kind: it must have a "kind" such as "ObjectDetection.v1", or a list under one of ${listKeys()}`);
  }
  const first = list.items()[0];
  if (first === undefined) return [...LISTS].find(([key]) => document.at(key).isList)?.[1] ?? 'object_detection';
  if (first.at('mask').isGiven) return first.at('confidence').isGiven ? 'instance_segmentation' : 'semantic_segmentation';
  return first.firstOf(BOX_KEYS).isGiven ? 'object_detection' : 'multilabel_classification';
}
