// The intake of payloads as the server has it: loaded with the first sink that says which platform sends, for few servers
// have one, and not with its first request, which a camera would have to wait for.

import type { BlobStore } from '../../files/blobs.ts';
import type { PayloadIntake } from './payload-intake.ts';

export interface PayloadIntakeOnDemand extends PayloadIntake {
  /** There is a sink that will need it. */
  prepare(): void;
}

export function createPayloadIntakeOnDemand(blobs: BlobStore): PayloadIntakeOnDemand {
  let loading: Promise<PayloadIntake> | undefined;

  async function load(): Promise<PayloadIntake> {
    return (await import('./payload-intake.ts')).createPayloadIntake(blobs);
  }

  return {
    prepare() {
      loading ??= load();
    },
    async receive(...asked) {
      loading ??= load();
      return (await loading).receive(...asked);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}
