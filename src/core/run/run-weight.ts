// How much memory a run takes while it is advanced, told from the bytes that are stored of it.

/** A run of which more is stored is read and advanced in a thread of its own kind, so that no other caller waits for it. */
export const LARGE_RUN_BYTES = 2 ** 18;

/** JSON of many small values, the worst there is, takes so many times its bytes when it is decoded. */
export const DECODED_RATIO = 24;
const BASE_BYTES = 4096;

/** In bytes of this process. Of a large run only the stored bytes are held here, once as they come and once on their way. */
export function runWeight(storedBytes: number): number {
  return storedBytes > LARGE_RUN_BYTES ? 2 * storedBytes : BASE_BYTES + DECODED_RATIO * storedBytes;
}
