// What differs between two versions of a workflow: inputs, steps and outputs by name, each with the places that changed.

import { ExactNumber } from '../../json/json.ts';
import { pointerOf } from '../../json/json-pointer.ts';
import type { WorkflowDocument } from '../document.ts';

export interface ListDiff {
  added: string[];
  removed: string[];
  /** `paths` are JSON Pointers within the element. A value that only one version has is one path, whatever is in it. */
  changed: { name: string; paths: string[] }[];
  /** Whether elements of both versions stand in another order: steps without dependencies run in the order of the document. */
  isReordered: boolean;
}

export interface VersionDiff {
  inputs: ListDiff;
  steps: ListDiff;
  outputs: ListDiff;
  /** The copies of workflows that it uses, by their references. */
  copies: ListDiff;
  /** Other fields of the definition, as JSON Pointers. */
  others: string[];
}

/** Of one element. Where more differ, the last path is that of the element itself. */
const MAX_PATHS = 30;
/** In characters. A place that would have a longer path counts as a change of what contains it. */
const MAX_PATH = 250;

export function diffVersions(from: WorkflowDocument, to: WorkflowDocument): VersionDiff {
  const { inputs, steps, outputs, pinned_workflows: copies = {}, ...others } = from;
  const { inputs: newInputs, steps: newSteps, outputs: newOutputs, pinned_workflows: newCopies = {}, ...newOthers } = to;
  return {
    inputs: diffLists(byName(inputs), byName(newInputs)),
    steps: diffLists(byName(steps), byName(newSteps)),
    outputs: diffLists(byName(outputs), byName(newOutputs)),
    copies: diffLists(new Map(Object.entries(copies)), new Map(Object.entries(newCopies))),
    others: changedPaths(others, newOthers),
  };
}

function byName(list: readonly { name: string }[]): Map<string, unknown> {
  return new Map(list.map((item) => [item.name, item]));
}

function diffLists(from: ReadonlyMap<string, unknown>, to: ReadonlyMap<string, unknown>): ListDiff {
  const kept = [...from.keys()].filter((name) => to.has(name));
  const keptThere = [...to.keys()].filter((name) => from.has(name));
  return {
    added: [...to.keys()].filter((name) => !from.has(name)),
    removed: [...from.keys()].filter((name) => !to.has(name)),
    changed: kept.map((name) => ({ name, paths: changedPaths(from.get(name), to.get(name)) })).filter(({ paths }) => paths.length > 0),
    isReordered: kept.some((name, index) => keptThere[index] !== name),
  };
}

function changedPaths(from: unknown, to: unknown): string[] {
  const paths = new Set<string>();
  collectChanges(from, to, '', paths);
  return paths.size <= MAX_PATHS ? [...paths] : [...[...paths].slice(0, MAX_PATHS - 1), ''];
}

/** `isCut`: the path is that of a container, and those within it would be too long. */
function collectChanges(from: unknown, to: unknown, path: string, paths: Set<string>, isCut = false): void {
  if (paths.size > MAX_PATHS) return;
  if (!isContainer(from) || !isContainer(to) || Array.isArray(from) !== Array.isArray(to)) {
    if (!isSameLeaf(from, to)) paths.add(path);
    return;
  }
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const longer = path + pointerOf([key]);
    const at = isCut || longer.length > MAX_PATH ? path : longer;
    if (Object.hasOwn(from, key) && Object.hasOwn(to, key)) collectChanges(from[key], to[key], at, paths, at === path);
    else paths.add(at);
  }
}

/** Numbers are compared as they are written: a run gets them digit for digit. */
function isSameLeaf(from: unknown, to: unknown): boolean {
  if (from instanceof ExactNumber && to instanceof ExactNumber) return from.text === to.text;
  return from === to;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber);
}
