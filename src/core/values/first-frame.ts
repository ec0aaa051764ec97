// Finds the frame that represents a video annotation of V7 Darwin: an object of frames by number.

/**
 * Returns the key of the first frame, by number, that matches; null when none does. A non-numeric key comes last. Frames
 * between two key frames may contain notes without a shape.
 */
export function findFirstFrame(frames: Readonly<Record<string, unknown>>, holds: (frame: unknown) => boolean): string | null {
  let first: string | null = null;
  for (const key of Object.keys(frames)) {
    if ((first === null || placeOf(key) < placeOf(first)) && holds(frames[key])) first = key;
  }
  return first;
}

function placeOf(key: string): number {
  const place = Number(key);
  return Number.isNaN(place) ? Number.POSITIVE_INFINITY : place;
}
