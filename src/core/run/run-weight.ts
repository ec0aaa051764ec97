// Estimates the memory of a run while it is advanced, from its stored bytes.

/** A run with more stored bytes is read and advanced in a separate thread, so that it blocks no other caller. */
export const LARGE_RUN_BYTES = 2 ** 18;

/** Memory per stored byte in the worst case, JSON of many small values. */
export const DECODED_RATIO = 24;
const BASE_BYTES = 4096;

/** In bytes of this process. A large run keeps only its stored bytes here, once when read and once when passed on. */
export function runWeight(storedBytes: number): number {
  return storedBytes > LARGE_RUN_BYTES ? 2 * storedBytes : BASE_BYTES + DECODED_RATIO * storedBytes;
}
