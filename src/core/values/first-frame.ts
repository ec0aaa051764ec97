// Which frame of a video's annotation stands for it, as V7 Darwin writes them: an object of frames by their number.

/**
 * The first frame, by number, that holds what is asked for; null where none does. A key that is no number comes last.
 * Frames between two key frames may note something and draw nothing.
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
