// Blocks that use Roboflow's own accounts by default: here only the operator's accounts work.

import type { Fault } from '../../../core/fault.ts';
import type { JsonSchema } from '../../../core/schema.ts';

const MANAGED = 'Roboflow Managed API Key';

export function providerSchema(ownProvider: string): JsonSchema {
  return {
    description: `must be "${ownProvider}": "${MANAGED}", the default, needs Roboflow's servers`,
    enum: [MANAGED, ownProvider],
  };
}

/** The default provider is Roboflow's own. */
export function managedProviderFaults(path: string, provider: string | undefined, ownProvider: string): Fault[] {
  if (provider === ownProvider) return [];
  return [{ path, message: `must be "${ownProvider}": "${MANAGED}", the default, needs Roboflow's servers` }];
}
