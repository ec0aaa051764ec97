// The storage of schedules: how far each is handled. Saving a sink makes and removes them (definition-store.ts). All times are
// wall times, as cron expressions mean them.

export interface ScheduleKey {
  sinkId: string;
  name: string;
}

export interface ScheduleState extends ScheduleKey {
  cron: string;
  timeZone: string;
  /** Scheduled times up to this one are handled. At first, and when cron or time zone change, it is the time of the edit. */
  handledTo: number;
  /** The latest scheduled time that started a run. Null: none has. */
  lastAt: number | null;
}

export interface ScheduleMove extends ScheduleKey {
  /** The `handledTo` that the move was planned on. */
  from: number;
  to: number;
  /** A scheduled time that has started a run. */
  lastAt: number | null;
}

export interface ScheduleStore {
  /** Returns the schedules of all sinks that are not deleted. */
  listSchedules(): Promise<ScheduleState[]>;
  /**
   * Moves `handledTo`, unless it is no longer `from`.
   * Returns the schedule as it is then. Null: there is none.
   */
  moveSchedule(move: ScheduleMove): Promise<ScheduleState | null>;
}
