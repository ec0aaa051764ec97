// Starts the thread that reads large documents. tsx does not follow into worker threads on Node 20, so its loader is
// registered here.

import { register } from 'tsx/esm/api';

const unregister = register();
await import('./payload-thread.ts');
await unregister();
