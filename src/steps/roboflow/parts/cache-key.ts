// The memory key that cache_set and cache_get share: a key within the namespace of a video.

import { videoIdentifier } from './video-metadata.ts';

export interface CacheManifest {
  /** Absent from definitions that were saved before it was required. */
  image?: unknown;
  key: unknown;
}

/** Wrapped, so that a stored null differs from no entry. */
export interface CacheEntry {
  value: unknown;
}

/** Null for a non-text key, which fails the step. */
export function cacheMemoryKey({ image, key }: CacheManifest): string | null {
  return typeof key === 'string' ? `cache:${JSON.stringify([videoIdentifier(image), key])}` : null;
}
