// Schedules: kept in step with the settings of their sink, and moved as their times are handled.

import type { Sink } from '../../../src/core/sink/sink.ts';
import type { ScheduleMove, ScheduleState } from '../../../src/storage/schedule-store.ts';
import type { State } from './state.ts';

/** A schedule that is new, or whose cron or time zone has changed, is handled up to `at`. */
export function keepSchedules(stored: readonly ScheduleState[], { id: sinkId, schedules = [] }: Sink, at: number): ScheduleState[] {
  const kept = schedules.map(({ name, cron, timeZone }): ScheduleState => {
    const earlier = stored.find((schedule) => schedule.sinkId === sinkId && schedule.name === name);
    const isSame = earlier?.cron === cron && earlier.timeZone === timeZone;
    return { sinkId, name, cron, timeZone, handledTo: isSame ? earlier.handledTo : at, lastAt: earlier?.lastAt ?? null };
  });
  return [...stored.filter((schedule) => schedule.sinkId !== sinkId), ...kept];
}

export function listSchedules({ definitions }: State): ScheduleState[] {
  return definitions.schedules.map((schedule) => ({ ...schedule }));
}

export function moveSchedule({ definitions }: State, { sinkId, name, from, to, lastAt }: ScheduleMove): ScheduleState | null {
  const index = definitions.schedules.findIndex((schedule) => schedule.sinkId === sinkId && schedule.name === name);
  const stored = definitions.schedules[index];
  if (stored === undefined) return null;
  const moved = stored.handledTo === from ? { ...stored, handledTo: to, lastAt: lastAt ?? stored.lastAt } : stored;
  definitions.schedules = definitions.schedules.with(index, moved);
  return { ...moved };
}
