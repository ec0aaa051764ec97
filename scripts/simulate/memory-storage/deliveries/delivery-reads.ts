// Reads deliveries: one with its attempts, and pages of them.

import type { OutboundMessage, OutboundResult } from '../../../../src/core/delivery/outbound.ts';
import type {
  DeliveryFilter,
  DeliveryRecord,
  DeliverySummary,
  DeliveryTarget,
  ListedDelivery,
} from '../../../../src/storage/delivery-records.ts';
import { NOT_DUE, type StoredDelivery } from '../records.ts';
import type { State } from '../state.ts';

export function getDelivery(state: State, id: string): DeliveryRecord | null {
  const delivery = state.deliveries.get(id);
  if (delivery === undefined) return null;
  const tries = delivery.tries.toSorted((a, b) => a.attempt - b.attempt);
  return { ...toSummary(delivery), message: delivery.message, tries };
}

export function listDeliveries(state: State, filter: DeliveryFilter): ListedDelivery[] {
  const { appId, sinkId, runId, status, limit, before = Number.MAX_SAFE_INTEGER } = filter;
  return [...state.deliveries.values()]
    .filter(({ run, no }) => no < before && run.appId === (appId ?? run.appId) && run.sinkId === (sinkId ?? run.sinkId))
    .filter((delivery) => delivery.run.runId === (runId ?? delivery.run.runId) && delivery.status === (status ?? delivery.status))
    .sort((a, b) => b.no - a.no)
    .slice(0, limit)
    .map((delivery) => ({ ...toSummary(delivery), position: delivery.no }));
}

function toSummary(delivery: StoredDelivery): DeliverySummary {
  const { id, run, step, status, attempts, lastAttempt, dueAt, createdAt, finishedAt, droppedReason, message, tries } = delivery;
  const last = tries.find(({ attempt }) => attempt === attempts);
  return {
    id,
    runId: run.runId,
    appId: run.appId,
    sinkId: run.sinkId,
    step,
    status,
    target: targetOf(message),
    attempts,
    lastAttempt,
    lastResult: last === undefined ? null : withoutBody(last.result),
    dueAt: dueAt === NOT_DUE ? null : dueAt,
    createdAt,
    finishedAt,
    droppedReason,
  };
}

function targetOf(message: OutboundMessage): DeliveryTarget {
  if (message.transport === 'http') return { transport: 'http', method: message.method, url: message.url };
  return { transport: 'smtp', host: message.host, port: message.port, to: message.to };
}

function withoutBody(result: OutboundResult): OutboundResult {
  return result.kind === 'response' ? { ...result, body: new Uint8Array() } : result;
}
