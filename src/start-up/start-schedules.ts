// Starts the schedules of sinks. They end before the engine is drained.

import type { Scheduler } from '../schedules/scheduler.ts';
import type { Cleanups } from './cleanups.ts';

export async function startSchedules(scheduler: Scheduler, cleanups: Cleanups): Promise<void> {
  cleanups.add(() => scheduler.stop());
  await scheduler.start();
}
