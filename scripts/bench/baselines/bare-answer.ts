// What the bare Fastify handler answers to the bench's request: about 150 bytes of JSON.

import { EXPECTED_OUTPUT } from '../workload.ts';

export const BARE_ANSWER = {
  received: true,
  ...EXPECTED_OUTPUT,
  source: 'camera-04',
  message: 'The bare handler took the request and does nothing with it.',
} as const;
