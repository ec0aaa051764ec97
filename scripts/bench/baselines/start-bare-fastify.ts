// Starts the bare handler as something to compare with.

import type { Bench } from '../bench.ts';
import { startHelper } from '../helper-process.ts';
import type { Contender } from '../rounds.ts';

export async function startBareFastify(bench: Bench): Promise<Contender> {
  const bare = startHelper<'start', { port: number }>(bench, new URL('./bare-fastify.ts', import.meta.url));
  const { port } = await bare.ask('start');
  return { target: { port, path: '/', kind: 'json', pid: bare.pid }, countStored: null };
}
