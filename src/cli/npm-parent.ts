// Under `npm start` the server's parent is a shell that npm puts between them. npm hands a signal to that shell, which
// dies of it and passes nothing on; the server then sees that its parent has changed, and takes that for the signal.

import type { Environment } from '../config.ts';

const LOOK_EVERY_MS = 200;

/** Calls back once when the shell that npm started the server in is gone. Returns how to stop looking. */
export function watchNpmParent(environment: Environment, onGone: () => void): () => void {
  if (environment['npm_lifecycle_event'] === undefined) return () => undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
