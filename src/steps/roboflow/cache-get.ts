// roboflow_core/cache_get@v1: reads the last value that cache_set stored under a key, in this or an earlier run of the sink.

import { withOperations } from '../shared/operations-outcome.ts';
import { imageSelector, text } from '../shared/property-schemas.ts';
import { readText } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { type CacheEntry, type CacheManifest, cacheMemoryKey } from './parts/cache-key.ts';

export const cacheGet: StepType<CacheManifest> = {
  type: 'roboflow_core/cache_get@v1',
  summary: 'Outputs the value that a cache_set step stored last under the same key, or false if there is none.',
  properties: {
    image: imageSelector('an image; the keys of each video are separate'),
    key: text('the key, or a selector of it'),
  },
  required: ['image', 'key'],
  ignoresUnknown: true,
  outputs: () => ['output'],
  memoryKey: cacheMemoryKey,
  plan: ({ key }, { memory }) =>
    withOperations(() => {
      readText('key', key);
      const entry = memory as CacheEntry | null;
      return { kind: 'completed', outputs: { output: entry === null ? false : entry.value } };
    }),
};
