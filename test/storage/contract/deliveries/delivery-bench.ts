// The bench of deliveries for the storage contract: messages, answers, and runs that wait for a delivery.

import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import type { HttpMessage, OutboundResult } from '../../../../src/core/delivery/outbound.ts';
import { NO_RETRY } from '../../../../src/core/delivery/retry.ts';
import type { AttemptRecord, ClaimedDelivery, NewDelivery } from '../../../../src/storage/delivery-records.ts';
import type { ClaimedRun, StepRecord, Turn } from '../../../../src/storage/runs/run-records.ts';
import { afterTurns, NOW, runningTurn, step, upTo, type Workbench } from '../workbench.ts';

export const DELIVERED = { status: 'delivered', dueAt: null } as const;
export const FAILED = { status: 'failed', dueAt: null } as const;

/** Of a test's own, so that it claims nothing of others. */
export const newOrigin = (): string => `https://${randomUUID()}.test`;
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const MESSAGE: HttpMessage = {
  transport: 'http',
  method: 'POST',
  url: 'https://receiver.test/hook?a=1',
  headers: { 'content-type': 'application/json' },
  body: [bytesOf('{"n":'), bytesOf('1}')],
  timeoutMs: 2000,
  redirects: 'as_requests',
  succeeds: 'unless_error',
  signingSecret: 'whsec_c2VjcmV0',
};

export function newDelivery(runId: string, stepNo: number, fields: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id: deliveryIdOf(runId, stepNo),
    step: `s${stepNo}`,
    isAwaited: true,
    origin: 'https://receiver.test',
    message: MESSAGE,
    retry: NO_RETRY,
    overflow: null,
    isLeased: false,
    isRecorded: false,
    ...fields,
  };
}

export function answered(status: number, body = 'answer'): OutboundResult {
  const headers = { 'content-type': 'text/plain' };
  return { kind: 'response', status, reason: 'Because', url: MESSAGE.url, headers, body: bytesOf(body), isTruncated: false };
}

export function attemptOf(attempt: number, result: OutboundResult, startedAt = NOW + attempt): AttemptRecord {
  return { attempt, startedAt, durationMs: 7, result };
}

export const waitingStep = (name: string): StepRecord => step(name, { status: 'waiting', outputs: null, finishedAt: null });

/** A turn after which the run waits for the delivery of `s0`. */
export function waitingFor(delivery: NewDelivery, fields: Partial<Turn> = {}): Turn {
  return runningTurn({ status: 'waiting', wakeAt: null, steps: [waitingStep(delivery.step)], deliveries: [delivery], ...fields });
}

export interface DeliveryBench {
  /** A run that waits for one delivery, which nobody has claimed. */
  addWaitingRun(fields?: Partial<NewDelivery>): Promise<{ run: ClaimedRun; delivery: NewDelivery; sinkId: string }>;
  /** At NOW, and no more than 100, unless told. */
  claim(origin: string, now?: number, limit?: number): Promise<ClaimedDelivery[]>;
  /** The only one that is due. */
  claimOne(origin: string, now?: number): Promise<ClaimedDelivery>;
  statusOf(id: string): Promise<string | undefined>;
  /** Claims the runs that are due, a second after NOW unless told. */
  dueRuns(now?: number): Promise<ClaimedRun[]>;
}

export function createDeliveryBench(workbench: () => Workbench): DeliveryBench {
  const at: Workbench['at'] = (ms) => workbench().at(ms);

  async function addWaitingRun(fields: Partial<NewDelivery> = {}): Promise<{ run: ClaimedRun; delivery: NewDelivery; sinkId: string }> {
    const { storage, addSink, addClaimedRun } = workbench();
    const sink = await addSink();
    const run = await addClaimedRun(sink);
    const delivery = newDelivery(run.lease.runId, 0, { origin: newOrigin(), ...fields });
    expect(await storage.advanceRun(run.lease, waitingFor(delivery))).toBe(true);
    return { run: { ...run, lease: afterTurns(run.lease) }, delivery, sinkId: sink.id };
  }

  const claim = async (origin: string, now = NOW, limit = 100): Promise<ClaimedDelivery[]> =>
    await at(now).claimDeliveries([{ origin, limit, maxBytes: Number.POSITIVE_INFINITY }]);

  async function claimOne(origin: string, now = NOW): Promise<ClaimedDelivery> {
    const [claimed, ...others] = await claim(origin, now);
    expect(others).toEqual([]);
    if (claimed === undefined) throw new Error(`nothing was due for ${origin}`);
    return claimed;
  }

  async function statusOf(id: string): Promise<string | undefined> {
    return (await workbench().storage.getDelivery(id))?.status;
  }

  const dueRuns = async (now = NOW + 1000): Promise<ClaimedRun[]> => await at(now).claimDueRuns(upTo(100));

  return { addWaitingRun, claim, claimOne, statusOf, dueRuns };
}
