// The loop of SQLite's own tests: the n-th call of a kind fails, for n = 1, 2, 3 and so on, until a run meets no fault.

import type { FaultControl } from './fault-library.ts';
import { type Call, type FaultPoint, type Series, seriesOf } from './fault-points.ts';

/** Runs its script with the fault that is armed, and checks what is on disk. Returns what is wrong, in one line each. */
export type TryPoint = (point: FaultPoint, control: FaultControl) => string[] | Promise<string[]>;

export interface Loop {
  name: string;
  tryPoint: TryPoint;
  /** The series of points to try. Default: all. */
  includes?: (series: Series) => boolean;
}

export interface LoopReport {
  loop: string;
  call: Call;
  /** The number of runs that met a fault. */
  points: number;
  milliseconds: number;
  problems: string[];
}

/** A script without end would never meet a run without a fault. */
const MAX_POINTS = 5000;

export async function runLoop({ name, tryPoint, includes = () => true }: Loop, call: Call, control: FaultControl): Promise<LoopReport> {
  const report: LoopReport = { loop: name, call, points: 0, milliseconds: 0, problems: [] };
  const startedAt = performance.now();
  for (const series of seriesOf(call).filter(includes)) await runSeries(series, control, tryPoint, report);
  report.milliseconds = Math.round(performance.now() - startedAt);
  return report;
}

async function runSeries(series: Series, control: FaultControl, tryPoint: TryPoint, report: LoopReport): Promise<void> {
  for (let nth = 1; nth <= MAX_POINTS; nth += 1) {
    const point = { ...series, nth };
    const { hits, problems } = await runPoint(point, control, tryPoint);
    report.problems.push(...problems.map((problem) => `${report.loop} ${argumentsOf(point)}: ${problem}`));
    if (hits === 0) return;
    report.points += 1;
  }
  report.problems.push(`${report.loop} ${series.call}: no run without a fault in ${MAX_POINTS}`);
}

export async function runPoint(
  point: FaultPoint,
  control: FaultControl,
  tryPoint: TryPoint,
): Promise<{ hits: number; problems: string[] }> {
  control.arm(point);
  let problems: string[];
  try {
    problems = await tryPoint(point, control);
  } catch (error) {
    problems = [`the test itself failed: ${(error as Error).stack}`];
  }
  control.pause();
  return { hits: control.counts().hits, problems };
}

/** The arguments with which main.ts tries this point alone. */
function argumentsOf({ call, nth, duration, fault }: FaultPoint): string {
  return `${call} ${nth} ${duration} ${fault}`;
}

/** Returns what is unclear in a line for an operator or a caller. Null: nothing. */
export function unclear(line: string): string | null {
  if (line.trim() === '') return 'an empty line';
  if (line.includes('\n')) return `more than one line: ${JSON.stringify(line)}`;
  return /undefined|\[object|TypeError|\bat .*\.[jt]s:/.test(line) ? `not a clear line: ${line}` : null;
}
