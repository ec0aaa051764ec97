// The deliveries of a turn: as a step plans them, and those that its run still wants once it has ended.

import { originOf } from '../../core/delivery/delivery.ts';
import { overflowGroup } from '../../core/delivery/overflow.ts';
import type { StepPlan } from '../../steps/step-type.ts';
import type { NewDelivery } from '../../storage/delivery-records.ts';
import type { PreparedStep } from './prepared-step.ts';

type DeliveryPlan = Extract<StepPlan, { kind: 'deliver' }>;

/** A dry run records its deliveries: they wait for nothing, nobody waits for them, and they displace no others. */
export function newDelivery(prepared: PreparedStep, plan: DeliveryPlan, sinkId: string, isRecorded: boolean): NewDelivery {
  const { deliveryId: id, step } = prepared;
  const { message, retry } = plan;
  const overflow = isRecorded ? null : overflowGroup(plan.overflow, sinkId, step);
  const isAwaited = plan.outcome === null && !isRecorded;
  return { id, step, isAwaited, origin: originOf(message), message, retry, overflow, isLeased: false, isRecorded };
}

/** A run that has ended waits for nothing, so that it does not send what it would wait for. */
export function wantedAtEnd(deliveries: readonly NewDelivery[]): NewDelivery[] {
  return deliveries.filter(({ isAwaited }) => !isAwaited);
}
