// roboflow_core/cache_set@v1: stores a value under a key, for the sink's later runs too.

import { withOperations } from '../shared/operations-outcome.ts';
import { imageSelector, selector, text } from '../shared/property-schemas.ts';
import { readText } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { type CacheEntry, type CacheManifest, cacheMemoryKey } from './parts/cache-key.ts';

interface CacheSetManifest extends CacheManifest {
  value: unknown;
}

export const cacheSet: StepType<CacheSetManifest> = {
  type: 'roboflow_core/cache_set@v1',
  summary: 'Stores a value under a key, for cache_get steps of this run and of later runs of the sink.',
  properties: {
    image: imageSelector('an image; the keys of each video are separate'),
    key: text('the key, or a selector of it'),
    value: selector('the value to store'),
  },
  required: ['image', 'key', 'value'],
  ignoresUnknown: true,
  outputs: () => ['output'],
  memoryKey: cacheMemoryKey,
  plan: ({ key, value }) =>
    withOperations(() => {
      readText('key', key);
      return { kind: 'completed', outputs: { output: value }, remember: { value } satisfies CacheEntry };
    }),
};
