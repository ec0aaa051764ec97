// Tests run emitted code, which is loaded without a transform. A server process and every thread run dist, which is what
// `npm ci` installs and `npm start` runs. A test itself imports single modules, from dist/modules.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src/');

execFileSync(process.execPath, ['scripts/emit.mjs', '--modules'], { cwd: ROOT, stdio: 'inherit' });

const emittedModules: Plugin = {
  name: 'emitted-modules',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return null;
    const path = join(importer, '..', source);
    if (!path.startsWith(SOURCE)) return null;
    return { id: join(ROOT, 'dist/modules', path.slice(SOURCE.length).replace(/\.ts$/, '.js')), external: true };
  },
};

// No isolation: four times as fast, and module state, which would leak between files, is forbidden anyway.
export default defineConfig({
  plugins: [emittedModules],
  test: {
    pool: 'forks',
    isolate: false,
    sequence: { sequencer: LongestFirst },
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\/modules\//] } },
  },
});
