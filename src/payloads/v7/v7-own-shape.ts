// The shapes of V7's annotations, each by its own type. A coordinate that is none is refused by its place; what only
// tells more of a shape may be left out.

import { readBox, readPoint, readPoints, readRings } from '../geometry.ts';
import type { JsonCursor } from '../json-cursor.ts';
import type { Ellipse, Point, Prediction, SkeletonNode } from '../payload.ts';
import type { V7Shape } from './v7-shape.ts';

type OwnShape = Partial<Pick<Prediction, 'polygon' | 'keypoint' | 'skeleton' | 'ellipse' | 'line' | 'cuboid'>>;

/** `omitsPoints`: what is made of any number of points stays in the document. */
export function readOwnShape({ type, holder }: V7Shape, omitsPoints: boolean): OwnShape {
  const shape = holder.at(type);
  switch (type) {
    case 'polygon':
    case 'complex_polygon':
      return omitsPoints ? {} : { polygon: readOutline(shape) };
    case 'line':
      return omitsPoints ? {} : { line: readPoints(shape.at('path')) };
    case 'skeleton':
      return omitsPoints ? {} : { skeleton: shape.at('nodes').items().map(readNode) };
    case 'keypoint':
      return { keypoint: readPoint(shape) };
    case 'ellipse':
      return { ellipse: readEllipse(shape) };
    case 'cuboid':
      return { cuboid: { front: readBox(shape.at('front')), back: readBox(shape.at('back')) } };
    default:
      return {};
  }
}

/** `paths` holds several rings, `path` one; older documents have further rings beside it. */
function readOutline(shape: JsonCursor): Point[][] {
  const rings = readRings(shape.firstOf(['paths', 'path']));
  const further = shape.at('additional_paths');
  return further.isGiven ? [...rings, ...readRings(further)] : rings;
}

function readNode(node: JsonCursor): SkeletonNode {
  return { name: node.at('name').textIfAny(), ...readPoint(node), occluded: node.at('occluded').value === true };
}

function readEllipse(shape: JsonCursor): Ellipse {
  const radius = shape.at('radius');
  for (const length of [radius.at('x'), radius.at('y')]) if (length.number() < 0) length.refuse('must not be negative');
  return { center: readPoint(shape.at('center')), radius: readPoint(radius), angle: shape.at('angle').numberIfAny() };
}
