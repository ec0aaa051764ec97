#!/usr/bin/env node
// The `sluice` command: runs dist, which starts in a quarter of the time, as long as it matches the source; otherwise
// runs src.

import { emittedState } from './emitted.mjs';

const state = emittedState('dist');
if (state === 'current') {
  await import('../dist/main.js');
} else {
  if (state === 'outdated' && process.argv[2] === 'serve')
    process.stderr.write(
      'sluice: src has changed since dist was emitted: src is run, which starts slower; "npm run prepare" emits it anew\n',
    );
  await import('../src/threads/typescript.mjs');
  await import('../src/main.ts');
}
