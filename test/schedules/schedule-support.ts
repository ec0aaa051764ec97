// A server whose wall clock a test sets, with sinks that run by it.

import { onTestEnd } from '../support/cleanup.ts';
import { settableClocks } from '../support/settable-clocks.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface ClockedServer {
  start(options?: TestAppOptions): Promise<TestApp>;
  /** Sets the wall clock to a time, in ISO 8601. */
  setTo(time: string): void;
  setBy(ms: number): void;
}

/** Its data directory stays until the end of the test, and so does the time that was set. */
export function clockedServer(time: string): ClockedServer {
  const clocks = settableClocks();
  const dataDir = tempDir(onTestEnd);
  const setTo = (at: string): void => clocks.set(Date.parse(at) - clocks.wall());
  setTo(time);
  return {
    start: (options = {}) => startTestApp({ dataDir, clocks, settings: { drain_seconds: '0' }, ...options }),
    setTo,
    setBy: (ms) => clocks.set(ms),
  };
}

/** The scheduled times that have started runs, oldest first, once there are so many. */
export async function startedTimes(app: TestApp, count: number, name?: string): Promise<string[]> {
  return await until(`${count} scheduled runs`, async () => {
    const times = await scheduledTimes(app, name);
    return times.length >= count ? times : null;
  });
}

export async function scheduledTimes(app: TestApp, name?: string): Promise<string[]> {
  const { runs } = (await app.admin('GET', '/runs?limit=500')).body as { runs: { run_id: string }[] };
  const found = await Promise.all(runs.map(async ({ run_id: id }) => (await app.admin('GET', `/runs/${id}`)).body.request));
  const schedules = found.map(({ schedule }) => schedule as { name: string; at: string } | undefined);
  const wanted = schedules.filter((schedule) => schedule !== undefined && (name === undefined || schedule.name === name));
  return wanted.map((schedule) => schedule?.at.slice(0, 16) ?? '').sort();
}
