// V7's masks: one raster layer holds the pixels of many mask annotations, which it names by id. The pixels stay in the
// document; what is kept is which annotation is in which layer.

import type { Mask, Prediction } from '../payload.ts';
import type { V7Shape } from './v7-shape.ts';

/** Sets `mask` of the predictions, which are those of the shapes, in their order. */
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

/** That of the mask annotations; a layer's own class is no class of its pixels. */
function classOf(mask: Mask, predictions: readonly Prediction[]): string | null {
  const own = mask.predictions.map((index) => predictions[index] as Prediction).filter(({ type }) => type === 'mask');
  const [first, ...others] = new Set(own.map((prediction) => prediction.class));
  return others.length === 0 ? (first ?? null) : null;
}
