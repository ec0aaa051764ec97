// A run of a sink with flow control that has not ended, as a row.

import { given, preset, table } from '../table.ts';

/**
 * `active`: in flight. The others are held: for a place, for another run of the key, until the key is quiet, or for more requests.
 */
export type FlowState = 'active' | 'ready' | 'behind' | 'quiet' | 'collecting';

export const flowRuns = table('flow_runs').columns({
  no: preset<number>(),
  run_id: given<number>(),
  sink_no: given<number>(),
  flow_key: given<string>(),
  state: given<FlowState>(),
  since_at: given<number>(),
  collected: given<number>(),
  collected_bytes: given<number>(),
});
