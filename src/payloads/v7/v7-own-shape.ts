// Reads the shape of a V7 annotation by its type. An invalid coordinate is refused with its path; optional details may be
// missing.

import { readBox, readPoint, readPoints, readRings } from '../geometry.ts';
import type { JsonCursor } from '../json-cursor.ts';
import type { Ellipse, Point, Prediction, SkeletonNode } from '../payload.ts';
import type { V7Shape } from './v7-shape.ts';

type OwnShape = Partial<Pick<Prediction, 'polygon' | 'keypoint' | 'skeleton' | 'ellipse' | 'line' | 'cuboid'>>;

/** With `omitsPoints`, shapes with any number of points are left out. */
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

/** `paths` contains several rings, `path` one; older documents add rings in `additional_paths`. */
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
