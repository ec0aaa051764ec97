// Emits the program to dist as bundles with their compiled code, unless dist is current. `npm ci` runs it. With `--modules` it
// also emits each module by itself to dist/modules, for tests, which load single modules.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { makeCodeCaches } from './code-caches.mjs';
import { emitInto, ROOT, WHOLE_PROGRAM } from './emitted.mjs';

/** The command, and the threads that it starts. dist has each at its path in src. */
const ENTRIES = ['main', 'run-thread', 'intake/payload-thread', 'storage/sqlite/storage-thread'];

/** Native code, and a package that finds its own by its path. All others that src imports are in the bundle. */
const NOT_BUNDLED = ['*.node', 'sharp'];

const JAVASCRIPT = { absWorkingDir: ROOT, outbase: 'src', platform: 'node', target: 'node20', logLevel: 'warning' };

/** The command is there twice: a verb that calls a server loads a file that is a tenth of the program. */
async function emitBundles() {
  await emitBundle(Object.fromEntries(ENTRIES.map((entry) => [entry, `src/${entry}.ts`])));
  await emitBundle(
    { client: 'src/main.ts' },
    WHOLE_PROGRAM.map((verb) => `./src/cli/verbs/${verb}.ts`),
  );
}

/** One file for each entry, run by run-bundle.cjs. Names stay as they are, so that a stack trace leads to its source. */
async function emitBundle(entryPoints, without = []) {
  const { outputFiles } = await build({
    ...JAVASCRIPT,
    entryPoints,
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    bundle: true,
    alias: { bindings: './scripts/sqlite-binding.cjs' },
    external: [...NOT_BUNDLED, ...without],
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'bundleUrl', 'import.meta.dirname': 'bundleFolder' },
    write: false,
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, inAscii(text));
  }
}

/** A byte for each character is read fastest. Outside of regular expressions and comments esbuild leaves nothing to escape. */
function inAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function emitModules() {
  const paths = readdirSync(join(ROOT, 'src'), { recursive: true }).filter((path) => /(?<!\.d)\.ts$/.test(path));
  return build({
    ...JAVASCRIPT,
    entryPoints: paths.map((path) => `src/${path}`),
    outdir: 'dist/modules',
    format: 'esm',
    bundle: true,
    packages: 'external',
    plugins: [{ name: 'single-modules', setup: ({ onResolve }) => onResolve({ filter: /^\./ }, keepImport) }],
  });
}

function keepImport({ path, kind }) {
  return kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true };
}

if (await emitInto('dist', emitBundles)) await makeCodeCaches();
if (process.argv.includes('--modules')) await emitInto('dist/modules', emitModules);
