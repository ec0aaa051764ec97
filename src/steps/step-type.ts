// The seam for step types. A step type is pure: it plans what is to be done and later interprets what came of it;
// only the engine waits, sends, loads, writes and stores.

import type { OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';
import type { Overflow } from '../core/delivery/overflow.ts';
import type { RetryPolicy } from '../core/delivery/retry.ts';
import type { Fault } from '../core/fault.ts';
import type { RunError } from '../core/run/run.ts';
import type { JsonSchema } from '../core/schema.ts';
import type { Images, ImageWant } from '../core/uql/image.ts';
import type { Roots } from '../core/workflow/bindings.ts';

/** How one try of a step ended. */
export type StepOutcome =
  | {
      kind: 'completed';
      outputs: Record<string, unknown>;
      /** Steps to run next, by name; left out, every step that the manifest names. */
      chosen?: readonly string[];
      /** Shown to the caller with the step's progress. */
      message?: string;
      /** Stored with the outcome under the step's memory key, and given to the next run as `context.memory`. */
      remember?: unknown;
    }
  | { kind: 'failed'; error: RunError; retryable: boolean };

/** A file to write below the directory that the operator set aside for steps; its result goes to `interpret`. */
export interface FileWrite {
  kind: 'write';
  /** Relative to that directory. */
  path: string;
  content: string;
  mode: 'create' | 'append';
}

/** A received file to open; its bytes go to `interpret`. */
export interface FileRead {
  kind: 'read';
  sha256: string;
}

export type StepPlan =
  | StepOutcome
  /** Durable: the outcome holds once the time has come, across restarts. */
  | { kind: 'wait'; seconds: number; outcome: StepOutcome }
  /** Recorded as a delivery in the same commit as the step, then sent, and sent again as `retry` says. */
  | {
      kind: 'deliver';
      message: OutboundMessage;
      retry: RetryPolicy;
      /** Left out, all wait: nothing is dropped. */
      overflow?: Overflow;
      /** Given: the step is over at once and the delivery goes on by itself. Null: `interpret` says what came of it. */
      outcome: Extract<StepOutcome, { kind: 'completed' }> | null;
      remember?: unknown;
    }
  /** The step is planned again once the images are there. */
  | { kind: 'load'; wants: readonly ImageWant[] }
  | FileWrite
  | FileRead;

export type WriteResult = { kind: 'written' } | { kind: 'not_written'; error: string };
export type ReadResult = { kind: 'read'; bytes: Uint8Array } | { kind: 'not_read'; error: string };

/** What came of a plan that left the core; `error` is one line, without paths of the server. */
export type EffectResult = OutboundResult | WriteResult | ReadResult;

/** Of a step that plans nothing but messages. */
export function outboundResult(result: EffectResult): OutboundResult {
  if (result.kind === 'written' || result.kind === 'not_written' || result.kind === 'read' || result.kind === 'not_read')
    throw new Error(`a message was sent, and came back ${result.kind}`);
  return result;
}

export interface StepContext {
  runId: string;
  /** The step's own name. */
  step: string;
  /** From 1; each repetition of a loop raises it. */
  visit: number;
  /** Of this visit, from 1; a retried step is planned anew. */
  attempt: number;
  /** When the step is planned, in server time (core/run/server-time.ts): what an interval is measured by. */
  now: number;
  /** What the wall clock shows then, in ms since the epoch: what is written into messages and files. */
  wallNow: number;
  /** `inputs`, `steps` and `request`, as selectors see them. */
  roots: Roots;
  /** What the sink's last run remembered under this step's memory key; null at first. */
  memory: unknown;
  /** Of the delivery that this step makes, if it makes one. */
  deliveryId: string;
  /** Stands for the secret wherever it is put, and is replaced only in what is sent. Null: not set, or not allowed. */
  secret(name: string): string | null;
  images: Images;
  /** In [0, 1); the same sequence each time that this visit of the step is planned. */
  random(): number;
}

/** What decides where a step keeps what it remembers. */
export interface MemoryKeyContext {
  /** The step's own name. */
  step: string;
  /** The manifest with its selectors unresolved. */
  written: Readonly<Record<string, unknown>>;
}

export interface StepType<Manifest = Record<string, unknown>> {
  /** As it stands in definitions: `sluice/set@v1`. */
  readonly type: string;
  /** Other ids of the same type. */
  readonly aliases?: readonly string[];
  /** One sentence for the documents. */
  readonly summary?: string;
  /**
   * Properties of the manifest beside `type`, `name` and those that every step has. A type that has `on_success` or
   * `on_failure` of its own chooses by them itself. A step that `next_steps`, `cases` or `default_next_steps` name runs
   * only if all steps that name it there choose it; of other properties that name steps, one is enough.
   */
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  /** Any step that it names may be an earlier one; of other types only those of `on_success` and `on_failure`. */
  readonly mayLoop?: boolean;
  /** Unknown properties are ignored, as Roboflow does, and not an error. */
  readonly ignoresUnknown?: boolean;
  /**
   * What becomes of the step where a `$steps` selector selects null. `skip` (as Roboflow does, and the default): it is
   * skipped. `take`: null is a value, and only a step that was skipped itself skips this one. `merge`: it runs whatever
   * was skipped.
   */
  readonly nulls?: 'skip' | 'take' | 'merge';
  /** What the schema cannot say. */
  readonly findFaults?: (manifest: Manifest) => Fault[];
  /** Names that selectors may use after `$steps.<name>.`; null for any. */
  readonly outputs: (manifest: Manifest) => readonly string[] | null;
  /** Where the step keeps what it remembers between runs, within its sink; null when it keeps nothing. */
  readonly memoryKey?: (manifest: Manifest, context: MemoryKeyContext) => string | null;
  /** `manifest` has its selectors resolved, save those that only name steps. Must not change it. */
  readonly plan: (manifest: Manifest, context: StepContext) => StepPlan;
  /** Required of a type whose plans read, write, or deliver without an outcome. */
  readonly interpret?: (manifest: Manifest, result: EffectResult, context: StepContext) => StepOutcome;
}
