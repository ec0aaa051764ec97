// The interface of step types. A step type is pure: it plans effects and interprets their results; only the engine waits,
// sends, loads, writes and stores.

import type { OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';
import type { Overflow } from '../core/delivery/overflow.ts';
import type { RetryPolicy } from '../core/delivery/retry.ts';
import type { Fault } from '../core/fault.ts';
import type { Reply } from '../core/reply/reply.ts';
import type { BodyOutline } from '../core/run/request.ts';
import type { RunError } from '../core/run/run.ts';
import type { JsonSchema } from '../core/schema.ts';
import type { Images, ImageWant } from '../core/uql/image.ts';
import type { Roots } from '../core/workflow/bindings.ts';

/** The outcome of one attempt of a step. */
export type StepOutcome =
  | {
      kind: 'completed';
      outputs: Record<string, unknown>;
      /** Steps to run next, by name; absent: every step that the manifest names. */
      chosen?: readonly string[];
      /** Shown to the caller with the step's progress. */
      message?: string;
      /** Stored with the outcome under the step's memory key; the next run reads it as `context.memory`. */
      remember?: unknown;
    }
  | { kind: 'failed'; error: RunError; retryable: boolean };

/** A file to write below the configured directory for files of steps; its result goes to `interpret`. */
export interface FileWrite {
  kind: 'write';
  /** Relative to that directory. */
  path: string;
  content: string;
  mode: 'create' | 'append';
}

/** A received file to read; its bytes go to `interpret`. */
export interface FileRead {
  kind: 'read';
  sha256: string;
}

export type StepPlan =
  | StepOutcome
  /**
   * A durable timer: the outcome applies when it fires, across restarts. If the reply is stored before, `interpret` decides.
   * Its message is shown to the caller when the wait begins.
   */
  | { kind: 'wait'; seconds: number; outcome: StepOutcome; reply?: { id: string; message: string } }
  /** Recorded as a delivery in the same commit as the step, then sent, and retried by `retry`. */
  | {
      kind: 'deliver';
      message: OutboundMessage;
      retry: RetryPolicy;
      /** Absent: all deliveries wait and none is dropped. */
      overflow?: Overflow;
      /** Set: the step completes at once and the delivery continues in the background. Null: `interpret` decides. */
      outcome: Extract<StepOutcome, { kind: 'completed' }> | null;
      remember?: unknown;
    }
  /** A graph of steps runs for each item; their results go to `interpret`. A list without items has no such plan. */
  | { kind: 'for_each'; items: readonly unknown[]; maxConcurrent: number; stopsAtFailure: boolean }
  /** The step is planned again after the images have loaded. */
  | { kind: 'load'; wants: readonly ImageWant[] }
  | FileWrite
  | FileRead;

export type WriteResult = { kind: 'written' } | { kind: 'not_written'; error: string };
export type ReadResult = { kind: 'read'; bytes: Uint8Array } | { kind: 'not_read'; error: string };

export type ItemResult = { output: Record<string, unknown> } | { error: RunError };

/** The results of all items, in their order; or why the step fails before they have all ended. */
export type ItemsResult = { kind: 'items'; results: readonly ItemResult[]; failure: RunError | null };

/** The result of an effect; `error` is one line, without paths of the server. */
export type EffectResult = OutboundResult | WriteResult | ReadResult | Reply | ItemsResult;

/** For a step that plans only messages. */
export function outboundResult(result: EffectResult): OutboundResult {
  switch (result.kind) {
    case 'written':
    case 'not_written':
    case 'read':
    case 'not_read':
    case 'replied':
    case 'items':
      throw new Error(`a delivery cannot have the result "${result.kind}"`);
    default:
      return result;
  }
}

export interface StepContext extends BodyOutline {
  runId: string;
  /** The step's own name. */
  step: string;
  /** From 1; each repetition of a loop raises it. */
  visit: number;
  /** Of this visit, from 1; each retry plans the step again. */
  attempt: number;
  /** When the step is planned, in server time (core/run/server-time.ts); use it to measure intervals. */
  now: number;
  /** The wall time of `now`, in ms since the epoch; use it in messages and files. */
  wallNow: number;
  /** `inputs`, `steps` and `request`, as selectors see them. */
  roots: Roots;
  /** What the sink's last run remembered under this step's memory key; null at first. */
  memory: unknown;
  /** Of the delivery that this step plans, if any. */
  deliveryId: string;
  /** Returns a placeholder that is replaced only in sent messages. Null: the secret is not set, or not allowed. */
  secret(name: string): string | null;
  /** Identifies the URLs that this visit of the step makes. */
  replyId: string;
  /**
   * Returns a placeholder that becomes a reply URL in sent messages. `choice` is a number of a choice; null leaves it open.
   * Null: the server does not know its public address.
   */
  replyUrl(choice: number | null, expiresAt: number): string | null;
  images: Images;
  /** A step of the run has answered the caller of its sink. */
  isAnswered: boolean;
  /** In [0, 1); the same sequence each time that this visit of the step is planned. */
  random(): number;
}

/** The input of a step's memory key. */
export interface MemoryKeyContext {
  /** The step's own name. */
  step: string;
  /** The manifest with its selectors unresolved. */
  written: Readonly<Record<string, unknown>>;
}

export interface StepType<Manifest = Record<string, unknown>> {
  /** The id in definitions: `sluice/set@v1`. */
  readonly type: string;
  /** Other ids of the same type. */
  readonly aliases?: readonly string[];
  /** One sentence for the documentation. */
  readonly summary?: string;
  /**
   * Properties of the manifest besides `type`, `name` and those of every step. A type with its own `on_success` or
   * `on_failure` handles both itself. A step named in `next_steps`, `cases` or `default_next_steps` runs only if all steps
   * that name it there choose it; for other properties that name steps, one is enough.
   */
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  /** Any property may name an earlier step; in other types only `on_success` and `on_failure` may. */
  readonly mayLoop?: boolean;
  /** Ignores unknown properties, as Roboflow does, instead of rejecting them. */
  readonly ignoresUnknown?: boolean;
  /**
   * Behaviour when a `$steps` selector selects null. `skip` (the default, as in Roboflow): the step is skipped. `take`:
   * null is a value, and only a skipped dependency skips the step. `merge`: it runs even if dependencies were skipped.
   */
  readonly nulls?: 'skip' | 'take' | 'merge';
  /** Checks beyond the schema. */
  readonly findFaults?: (manifest: Manifest) => Fault[];
  /** Names that selectors may use after `$steps.<name>.`; null for any. */
  readonly outputs: (manifest: Manifest) => readonly string[] | null;
  /** The key of the step's memory between runs, within its sink; null when it has none. */
  readonly memoryKey?: (manifest: Manifest, context: MemoryKeyContext) => string | null;
  /** `manifest` has its selectors resolved, except step references. Must not change it. */
  readonly plan: (manifest: Manifest, context: StepContext) => StepPlan;
  /** Required of a type whose plans read, write, wait for a reply, run items, or deliver without an outcome. */
  readonly interpret?: (manifest: Manifest, result: EffectResult, context: StepContext) => StepOutcome;
}
