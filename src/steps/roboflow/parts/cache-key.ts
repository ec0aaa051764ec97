// The one place where cache_set writes and cache_get reads: a key within the namespace of a video.

import { videoIdentifier } from './video-metadata.ts';

export interface CacheManifest {
  /** Absent from definitions that were saved before it was required. */
  image?: unknown;
  key: unknown;
}

/** Wrapped, so that a stored null is not taken for nothing stored. */
export interface CacheEntry {
  value: unknown;
}

/** Null for a key that is no text, with which a step fails. */
export function cacheMemoryKey({ image, key }: CacheManifest): string | null {
  return typeof key === 'string' ? `cache:${JSON.stringify([videoIdentifier(image), key])}` : null;
}
