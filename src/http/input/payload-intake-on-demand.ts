// The intake of payloads as the server has it: loaded with the first request to a sink that says which platform sends,
// for few servers have one.

import type { BlobStore } from '../../storage/blobs.ts';
import type { PayloadIntake } from './payload-intake.ts';

export function createPayloadIntakeOnDemand(blobs: BlobStore): PayloadIntake {
  let loading: Promise<PayloadIntake> | undefined;

  async function load(): Promise<PayloadIntake> {
    return (await import('./payload-intake.ts')).createPayloadIntake(blobs);
  }

  return {
    async receive(...asked) {
      loading ??= load();
      return (await loading).receive(...asked);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}
