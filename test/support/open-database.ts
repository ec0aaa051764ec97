// Opens the database of a data directory, with plenty of memory and a log that nobody reads.

import { type Clock, type MachineClocks, machineClocks } from '../../src/clock.ts';
import { createLogger } from '../../src/logger.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { plentyOfMemory } from './plenty-of-memory.ts';

export function openDatabase(directory: string, clocks: MachineClocks = machineClocks): Promise<OpenedStorage> {
  const { logger } = createLogger('silent');
  return openSqliteStorage({ directory, memory: plentyOfMemory().commits, clocks, logger, onFatal: () => undefined });
}

/** The clocks of a machine on which all time is that of `clock`. */
export function clocksOf(clock: Clock): MachineClocks {
  return { wall: clock, elapsedMs: clock, uptimeMs: clock };
}
