// Tests run the emitted program: it is loaded without a transform, and its threads start in a fifth of the time. So what
// they test is what `npm ci` installs and `npm start` runs.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src/');

execFileSync(process.execPath, ['scripts/emit.mjs'], { cwd: ROOT, stdio: 'inherit' });

const emittedProgram: Plugin = {
  name: 'emitted-program',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return null;
    const path = join(importer, '..', source);
    if (!path.startsWith(SOURCE)) return null;
    return { id: join(ROOT, 'dist', path.slice(SOURCE.length).replace(/\.ts$/, '.js')), external: true };
  },
};

// No isolation: four times as fast, and module state, which would leak between files, is forbidden anyway.
export default defineConfig({
  plugins: [emittedProgram],
  test: {
    pool: 'forks',
    isolate: false,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
