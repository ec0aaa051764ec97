// Ties V7's mask annotations to their raster layers: a layer contains the pixels of many masks, which it lists by id. The
// pixels stay in the document.

import type { Mask, Prediction } from '../payload.ts';
import type { V7Shape } from './v7-shape.ts';

/** Returns the masks and sets `mask` of the predictions. `predictions[i]` was read from `shapes[i]`. */
export function tieRasterLayers(shapes: readonly V7Shape[], predictions: readonly Prediction[]): Mask[] {
  const masks: Mask[] = [];
  const layerOf = new Map<string, number>();
  for (const [index, prediction] of predictions.entries()) {
    if (prediction.type !== 'raster_layer') continue;
    const layer = (shapes[index] as V7Shape).holder.at('raster_layer');
    for (const [id] of layer.at('mask_annotation_ids_mapping').entries()) layerOf.set(id, masks.length);
    prediction.mask = masks.push({ name: null, file: null, class: null, predictions: [index] }) - 1;
  }
  for (const [index, prediction] of predictions.entries()) {
    if (prediction.type !== 'mask') continue;
    const known = layerOf.get(prediction.id ?? '');
    prediction.mask = known ?? masks.push({ name: null, file: null, class: null, predictions: [] }) - 1;
    masks[prediction.mask]?.predictions.push(index);
  }
  for (const mask of masks) mask.class = classOf(mask, predictions);
  return masks;
}

/** The class of the mask annotations; null if they differ. The layer's own name is not a class. */
function classOf(mask: Mask, predictions: readonly Prediction[]): string | null {
  const own = mask.predictions.map((index) => predictions[index] as Prediction).filter(({ type }) => type === 'mask');
  const [first, ...others] = new Set(own.map((prediction) => prediction.class));
  return others.length === 0 ? (first ?? null) : null;
}
