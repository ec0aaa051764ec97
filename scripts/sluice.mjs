#!/usr/bin/env node
// The `sluice` command: runs dist, which starts in a fraction of the time, as long as it matches the source; otherwise
// runs src.

import { createRequire } from 'node:module';
import { emittedState, WHOLE_PROGRAM } from './emitted.mjs';

const state = emittedState('dist');
const isServer = process.argv[2] === 'serve';
if (state === 'current') {
  const { runBundle } = createRequire(import.meta.url)('./run-bundle.cjs');
  const isWhole = WHOLE_PROGRAM.some((verb) => process.argv.includes(verb));
  await runBundle(isWhole ? 'main' : 'client', isServer ? 'serve' : undefined).ended;
} else {
  if (state === 'outdated' && isServer)
    process.stderr.write(
      'sluice: src has changed since dist was emitted: src is run, which starts slower; "npm run prepare" emits it anew\n',
    );
  await import('../src/threads/typescript.mjs');
  await (await import('../src/main.ts')).ended;
}
