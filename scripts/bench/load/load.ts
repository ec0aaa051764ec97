// The load generator as the bench sees it: a process of its own, which loads a target for a given time.

import type { Bench } from '../bench.ts';
import { type Helper, startHelper } from '../helper-process.ts';
import type { AnswerKind } from './verify-answer.ts';

export interface LoadTarget {
  port: number;
  path: string;
  kind: AnswerKind;
  /** Of the server, whose CPU time counts. */
  pid: number;
}

export interface LoadOrder {
  target: LoadTarget;
  connections: number;
  warmupSeconds: number;
  seconds: number;
}

export interface LoadResult {
  requestsPerSecond: number;
  minMs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  cpuMicrosPerRequest: number;
  /** CPU time of the generator itself over the time measured: near 1, and it was the bottleneck. */
  generatorBusy: number;
  /** Whole answers with status 200 since the order came, those before and after the time measured as well. */
  acknowledged: number;
  /** Of them, read and checked in full. */
  verified: number;
}

export type LoadGenerator = Helper<LoadOrder, LoadResult>;

export function startLoadGenerator(bench: Bench): LoadGenerator {
  return startHelper(bench, new URL('./generator.ts', import.meta.url));
}
