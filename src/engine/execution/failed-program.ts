// A run that cannot resume: its next turn fails it.

import type { RunError } from '../../core/run/run.ts';
import type { Turn } from '../../storage/runs/run-records.ts';
import type { LocalEffect, Program, ProgramPast } from './program.ts';

export class FailedProgram implements Program {
  readonly awaited = 0;
  readonly #past: Pick<ProgramPast, 'progress' | 'lastSeq'>;
  readonly #error: RunError;

  constructor(past: Pick<ProgramPast, 'progress' | 'lastSeq'>, error: RunError) {
    this.#past = past;
    this.#error = error;
  }

  advance(): LocalEffect[] {
    return [];
  }

  takeWantedKeys(): readonly string[] {
    return [];
  }

  giveResult(): void {}

  giveImages(): void {}

  abort(): void {}

  takeTurn(now: number): Turn {
    return failedTurn(this.#past, this.#error, now);
  }
}

/** A turn that fails the run and changes nothing else. */
export function failedTurn({ progress, lastSeq }: Pick<ProgramPast, 'progress' | 'lastSeq'>, error: RunError, at: number): Turn {
  const base = { progress, lastSeq: lastSeq + 1, wakeAt: null, output: null, at };
  return { ...base, status: 'failed', events: [], steps: [], deliveries: [], memory: [], error };
}
