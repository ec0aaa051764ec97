// Formats deliveries for people.

import type { AttemptResult, DeliveryAttempt, DeliveryDetails, DeliverySummary } from '../../client/wire/delivery-wire.ts';
import type { Io } from '../io.ts';
import { type Cell, printLine, printTable } from './output.ts';
import { timeOf } from './run-view.ts';

export const DELIVERY_COLUMNS = ['DELIVERY', 'STATUS', 'ATTEMPTS', 'LAST RESULT', 'APP', 'STEP', 'TO', 'CREATED'] as const;

export function deliveryRow(delivery: DeliverySummary): Cell[] {
  const { delivery_id: id, status, app_id: app, step, created_at: createdAt, dropped_reason: reason } = delivery;
  return [id, status, attemptsOf(delivery), reason ?? resultOf(delivery.last_result), app, step, targetOf(delivery), timeOf(createdAt)];
}

export function printDelivery(io: Io, delivery: DeliveryDetails): void {
  const { finished_at: finishedAt, next_attempt_at: nextAt, dropped_reason: reason } = delivery;
  const facts: [string, string][] = [
    ['delivery', delivery.delivery_id],
    ['status', delivery.status],
    ...(reason === null ? [] : [['reason', reason] as [string, string]]),
    ['to', targetOf(delivery)],
    ['attempts', attemptsOf(delivery)],
    ['app', delivery.app_id],
    ['sink', delivery.sink_id],
    ['run', delivery.run_id],
    ['step', delivery.step],
    ['created', timeOf(delivery.created_at)],
    ['finished', finishedAt === null ? 'not yet' : timeOf(finishedAt)],
    ...(nextAt === null ? [] : [['next', timeOf(nextAt)] as [string, string]]),
  ];
  for (const [name, value] of facts) printLine(io, `${name.padEnd(10)}${value}`);
  if (delivery.attempts.length === 0) return;
  printLine(io, '');
  printTable(io, ['ATTEMPT', 'STARTED', 'TOOK', 'RESULT'], delivery.attempts.map(attemptRow));
}

function attemptRow(attempt: DeliveryAttempt): Cell[] {
  const { attempt: number, started_at: startedAt, duration_ms: durationMs } = attempt;
  return [number, timeOf(startedAt), `${(durationMs / 1000).toFixed(2)} s`, resultOf(attempt, attempt.response?.reason)];
}

function attemptsOf({ attempt_count: count, max_attempts: most }: DeliverySummary): string {
  return `${count} of ${most}`;
}

function targetOf({ method, url, to }: DeliverySummary): string {
  return method === null ? `${(to ?? []).join(', ')} by ${url}` : `${method} ${url}`;
}

function resultOf(result: AttemptResult | null, reason = ''): string | null {
  if (result === null) return null;
  return result.status === null ? result.error : `${result.status} ${reason}`.trimEnd();
}
