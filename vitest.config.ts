import { defineConfig } from 'vitest/config';

// Two suites: `check` holds all but the crash and fault tests, which start processes and fill disks.
export default defineConfig({
  test: {
    pool: 'forks',
    isolate: false,
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
