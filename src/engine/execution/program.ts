// The seam between the engine and the code of a run. The engine drives programs turn by turn, stores their turns, and
// knows nothing of how they decide: an `Execution` runs a graph of steps, and a large run is planned in another thread.

import type { OutboundResult } from '../../core/delivery/outbound.ts';
import type { BodyOutline, Request } from '../../core/run/request.ts';
import type { RunError } from '../../core/run/run.ts';
import type { Images, ImageWant } from '../../core/uql/image.ts';
import type { Workflow, WorkflowVersion } from '../../core/workflow/plan.ts';
import type { EffectResult, FileRead, FileWrite } from '../../steps/step-type.ts';
import type { StepRecord, Turn } from '../../storage/runs/run-records.ts';
import type { MemoryEntry } from '../step-memory.ts';

/** A run in memory. A step is any unit of work under a name; its records, deliveries and effects carry this name. */
export interface Program {
  /** Deliveries and replies that steps wait for. */
  readonly awaited: number;
  /** The program leaves memory while it only waits for deliveries, and is restored with their results. */
  readonly leavesMemory?: boolean;
  /**
   * Runs every step that can run at `now`, in ms of server time. Returns the effects to perform once the turn is on disk.
   * If a value of the sink's memory is missing, its key is wanted: the engine loads it and calls `advance` again. An
   * error is a bug, and the engine aborts the run; only a promise may reject with AppError, and then nothing is stored.
   */
  advance(now: number): LocalEffect[] | Promise<LocalEffect[]>;
  /** Returns, once, the keys of the sink's memory that must be loaded before some step can run. */
  takeWantedKeys(): readonly string[];
  /** Sets the result of a delivery or local effect of a step's visit, or its reply, for the next `advance`. */
  giveResult(step: string, visit: number, result: EffectResult): void;
  /** Sets the images that a step's visit asked for, for the next `advance`. */
  giveImages(step: string, visit: number, images: Images): void;
  /** Fails the run; takes effect at the next `advance`. */
  abort(error: RunError): void;
  /** Returns the changes since the last call. */
  takeTurn(now: number): Turn;
  /** Frees what the program keeps outside of this thread's heap. Idempotent. */
  dispose?(): void;
}

/** An effect in this process that a step waits for. */
export interface LocalEffect {
  step: string;
  visit: number;
  plan: { kind: 'load'; wants: readonly ImageWant[] } | FileWrite | FileRead;
}

/** Where an earlier owner of the run left it. */
export interface ProgramPast {
  /** The last visit of each step, and what open for_each steps need of their items. */
  steps: StepRecord[];
  /** A visit has answered the caller of the sink. */
  isAnswered: boolean;
  progress: number;
  lastSeq: number;
}

export interface WorkflowReference {
  id: string;
  version: number;
}

/** Where a failed run ended, for a replay that goes on from there. */
export interface KeptSteps {
  /** The last visits of the steps that are not run again, and the items of for_each steps. A waiting one has its result in `results`. */
  steps: StepRecord[];
  results: { step: string; visit: number; result: OutboundResult }[];
}

export interface ProgramStart<Version extends WorkflowVersion = Workflow> extends BodyOutline {
  runId: string;
  sinkId: string;
  workflow: Version;
  request: Request;
  /** The bound inputs. */
  inputs: Record<string, unknown>;
  /** Messages are recorded and answered by a stand-in; no file and no memory is written. */
  isDry: boolean;
  /** Of a new run: null if it begins with its first steps. */
  kept: KeptSteps | null;
}

/** The programs that an engine can run. */
export interface Programs<Version extends WorkflowVersion = Workflow> {
  /** Resolves to null when the version is not stored. A null reference is the sink's that names no workflow. */
  load(appId: string, reference: WorkflowReference | null): Promise<Version | null>;
  /** The program of a new run, or of a run that resumes from `past`. */
  create(start: ProgramStart<Version>, past?: ProgramPast): Program;
}

/** The same for all programs of an engine. */
export interface ProgramTools {
  /** In [0, 1), for retry jitter. */
  random: () => number;
  recall: Recall;
  /** The time of the wall clock at a moment of server time. */
  toWall: (at: number) => number;
  placeholder: SecretPlaceholder;
  /** Hides secrets in text that callers see. */
  mask: (runId: string, text: string) => string;
}

/** The remembered value of a key of the sink; undefined when it is not loaded. */
export type Recall = (sinkId: string, key: string) => MemoryEntry | undefined;

/** Returns the placeholder of a secret or of a reply URL; null when there is none of that name. */
export type SecretPlaceholder = (runId: string, name: string) => string | null;
