// Emits the program to dist as a bundle, unless dist is current. `npm ci` runs it. With `--modules` it also emits each
// module by itself to dist/modules, for tests, which load single modules.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { emitInto, ROOT } from './emitted.mjs';

/** The command, and the threads that it starts. dist has each at its path in src. */
const ENTRIES = ['main.ts', 'run-thread.ts', 'intake/payload-thread.ts', 'storage/sqlite/storage-thread.ts'];

/** Packages that find their native binaries by their own path. All others that src imports are in the bundle. */
const NOT_BUNDLED = ['better-sqlite3', 'sharp'];

/** CommonJS packages in the bundle require modules of Node. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

const JAVASCRIPT = { absWorkingDir: ROOT, outbase: 'src', platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' };

/** Names stay as they are, so that a stack trace leads to its source. What is loaded on demand stays a file of its own. */
function emitBundle() {
  return build({
    ...JAVASCRIPT,
    entryPoints: ENTRIES.map((path) => `src/${path}`),
    outdir: 'dist',
    bundle: true,
    splitting: true,
    external: NOT_BUNDLED,
    banner: { js: REQUIRE },
  });
}

function emitModules() {
  const paths = readdirSync(join(ROOT, 'src'), { recursive: true }).filter((path) => /(?<!\.d)\.ts$/.test(path));
  return build({
    ...JAVASCRIPT,
    entryPoints: paths.map((path) => `src/${path}`),
    outdir: 'dist/modules',
    bundle: true,
    packages: 'external',
    plugins: [{ name: 'single-modules', setup: ({ onResolve }) => onResolve({ filter: /^\./ }, keepImport) }],
  });
}

function keepImport({ path, kind }) {
  return kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true };
}

await emitInto('dist', emitBundle);
if (process.argv.includes('--modules')) await emitInto('dist/modules', emitModules);
