// The input and the report of each part of the bench.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { OnEnd } from './cleanups.ts';
import type { BenchOptions } from './options.ts';

export interface Bench {
  options: BenchOptions;
  /** Ends every process that the bench started. */
  signal: AbortSignal;
  print: (text: string) => void;
  onEnd: OnEnd;
}

/** One line of the goals that the project set itself. */
export interface Target {
  name: string;
  wanted: string;
  figure: string;
  isMet: boolean;
}

export interface PartReport {
  /** As JSON, for programs. */
  figures: object;
  targets: Target[];
}

export type Part = (bench: Bench) => Promise<PartReport>;

/** A folder that goes when the part ends. */
export function makeDirectory({ options, onEnd }: Bench, parent: string = options.directory): string {
  const path = mkdtempSync(join(parent, 'sluice-bench-'));
  onEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
