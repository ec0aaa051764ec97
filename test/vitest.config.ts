import { defineConfig } from 'vitest/config';

// No isolation: four times as fast, and module state, which would leak between files, is forbidden anyway.
export default defineConfig({
  test: {
    pool: 'forks',
    isolate: false,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
