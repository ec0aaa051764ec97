// A server whose sinks send to a receiver, both for the time of one part of the bench.

import type { Bench } from '../bench.ts';
import { startHelper } from '../helper-process.ts';
import { type SluiceProcess, startSluice } from '../sluice-process.ts';
import type { Receiver } from './rounds.ts';
import { deliveryDefinitions } from './workload.ts';

export async function startDeliveringServer(
  bench: Bench,
  directory: string,
  checkout?: string,
): Promise<{ server: SluiceProcess; receiver: Receiver }> {
  const receiver: Receiver = startHelper(bench, new URL('./receiver.ts', import.meta.url));
  const { port } = await receiver.ask('count');
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  const server = await startSluice(bench, directory, { env, definitions: deliveryDefinitions(port), checkout });
  return { server, receiver };
}
