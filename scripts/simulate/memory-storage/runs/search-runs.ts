// Searches runs. A slice without time looks at one run, any other one at all.

import type { RequestHead } from '../../../../src/core/run/request.ts';
import { createRunMatcher } from '../../../../src/core/run/run-criteria.ts';
import type { RunSearch, SearchSlice } from '../../../../src/storage/runs/run-search.ts';
import type { StoredRun } from '../records.ts';
import type { State } from '../state.ts';
import { runsOfKey } from './idempotency-keys.ts';
import { matchingRuns, toSummary } from './run-reads.ts';

export function searchRuns(state: State, search: RunSearch): SearchSlice {
  const { idempotencyKey, deliveryId, limit, maxMs } = search;
  const matches = createRunMatcher(search);
  const ofKey = idempotencyKey === undefined ? null : new Set(runsOfKey(state, idempotencyKey));
  const ofDelivery = deliveryId === undefined ? null : state.deliveries.get(deliveryId)?.run;
  const candidates = matchingRuns(state, search)
    .filter((run) => ofKey?.has(run) ?? true)
    .filter((run) => ofDelivery === null || run === ofDelivery);
  const found: StoredRun[] = [];
  for (const [index, run] of candidates.entries()) {
    if (matches(toSearchedRun(run))) found.push(run);
    if (found.length < limit && maxMs > 0) continue;
    return { runs: found.map(toSummary), scanned: index + 1, last: { id: run.runId, createdAt: run.createdAt } };
  }
  return { runs: found.map(toSummary), scanned: candidates.length, last: null };
}

function toSearchedRun({ request, workflow, replay, ...run }: StoredRun) {
  const { batch, client_ip: clientIp = '', headers = {} } = JSON.parse(request) as Partial<RequestHead>;
  return { ...run, workflowId: workflow?.id ?? null, replayOf: replay?.of ?? null, clientIp: batch?.[0]?.client_ip ?? clientIp, headers };
}
