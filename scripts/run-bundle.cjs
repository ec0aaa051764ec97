// Runs a bundle of dist, with the code that V8 compiled of it when it was emitted. It is also the entry of every thread, which
// names its bundle as an argument.

const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join, dirname } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');
const { isMainThread } = require('node:worker_threads');
const { crc32 } = require('node:zlib');

const DIST = join(__dirname, '../dist');
const HEAD_BYTES = 8;
/** Strict, as modules are. */
const HEAD = "(function (exports, module, require, bundleUrl, bundleFolder) { 'use strict';";

/** Returns what the entry exports. `use` names the code that is cached of it: a use needs a part of a bundle. */
exports.runBundle = function runBundle(entry, use = entry) {
  const path = join(DIST, `${entry}.cjs`);
  const cache = join(DIST, `${use}.cache`);
  const bytes = readFileSync(path);
  // Code of another source or program is never run. V8 also refuses that of other flags.
  const key = crc32(bytes, crc32(`${process.version} ${process.arch}`));
  const cachedData = readCode(cache, key);
  const url = pathToFileURL(path).href;
  const script = new Script(`${HEAD}${bytes.latin1Slice()}\n})`, { filename: url, cachedData });
  if (process.env.MAKE_CODE_CACHE !== undefined) process.once('exit', () => writeCode(cache, key, script.createCachedData()));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, module, createRequire(path), url, dirname(path));
  return module.exports;
};

/** Undefined without a cache that fits: the bundle is compiled then. */
function readCode(path, key) {
  try {
    const bytes = readFileSync(path);
    const code = bytes.subarray(HEAD_BYTES);
    return bytes.readUInt32LE(0) === key && bytes.readUInt32LE(4) === crc32(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

function writeCode(path, key, code) {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(key, 0);
  head.writeUInt32LE(crc32(code), 4);
  writeFileSync(path, Buffer.concat([head, code]));
}

if (!isMainThread) exports.runBundle(process.argv[2]);
