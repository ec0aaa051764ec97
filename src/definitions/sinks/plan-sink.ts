// Plans the sink that storage keeps from a definition, or finds every fault that does not depend on other definitions.

import type { Clock } from '../../clock.ts';
import type { Fault } from '../../core/fault.ts';
import { providerFaults } from '../../core/sink/response/response-setting.ts';
import { parseSink, type Sink } from '../../core/sink/sink.ts';
import { type CredentialContext, credentialFaults } from './credential-faults.ts';
import { toStoredSink } from './stored-sink.ts';

export interface PlanContext {
  credentials: CredentialContext;
  clock: Clock;
}

export function planSink(
  { credentials, clock }: PlanContext,
  appId: string,
  document: unknown,
  existing: Sink | undefined,
): { sink: Sink; faults: [] } | { sink: null; faults: Fault[] } {
  const { sink: definition, faults } = parseSink(document, appId);
  if (definition === null) return { sink: null, faults };
  const ofCredentials = credentialFaults(definition, credentials);
  if (ofCredentials.length > 0) return { sink: null, faults: ofCredentials };
  const sink = toStoredSink(definition, { managedBy: 'api', existing, sealer: credentials.sealer, now: clock() });
  // An edit may keep its provider.
  const unfit = providerFaults(sink.auth, sink.response);
  return unfit.length > 0 ? { sink: null, faults: unfit } : { sink, faults: [] };
}
