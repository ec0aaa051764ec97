// Starts the thread of large runs. tsx does not follow into worker threads on Node 20, so its loader is registered here,
// and stays for the step types that are loaded later.

import { register } from 'tsx/esm/api';

register();
await import('./run-thread.ts');
