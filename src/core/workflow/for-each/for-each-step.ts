// The step type `sluice/for_each@v1`: it contains a workflow, as an inner workflow does, and runs it once for each item of a
// list.

import type { StepDocument } from '../document.ts';
import { readSelector } from '../selector.ts';

export const FOR_EACH = 'sluice/for_each@v1';

export const DEFAULT_MAX_ITEMS = 100;
export const MAX_ITEMS = 1000;
export const MAX_CONCURRENT_ITEMS = 16;

export function isForEach({ type }: { type?: unknown }): boolean {
  return type === FOR_EACH;
}

/** Reads a manifest's `max_items`, which fits its schema. */
export function readMaxItems(manifest: Readonly<Record<string, unknown>>): number {
  return Number(manifest['max_items'] ?? DEFAULT_MAX_ITEMS);
}

/** Whether the text selects from the item, which only the bindings of a for_each step may. */
export function selectsItem(text: string): boolean {
  const { root } = readSelector(text) ?? {};
  return root === 'item' || root === 'index';
}

/** Null when the selector may select something. `property` is that of the step in which it is written. */
export function itemSelectorFault(text: string, step: Pick<StepDocument, 'type'> | null, property: string): string | null {
  const { root, parts = [] } = readSelector(text) ?? {};
  if (step === null || !isForEach(step) || property !== 'parameter_bindings')
    return `"$${root}" is known only in the parameter_bindings of a ${FOR_EACH} step; bind it to an input there, and write $inputs.name`;
  return root === 'index' && parts.length > 0 ? '"$index" is a number, which has no parts' : null;
}
