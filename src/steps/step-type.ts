// The seam for step types. A step type is pure: it plans what is to be done and later interprets what came of it;
// only the engine waits, sends and stores.

import type { Roots } from '../core/bindings.ts';
import type { Fault } from '../core/fault.ts';
import type { RunError } from '../core/run.ts';
import type { JsonSchema } from '../core/schema.ts';

/** A message for the outside world. The engine sends it with the step's idempotency key. */
export interface OutboundRequest {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | null;
  timeoutMs: number;
}

/** What the outside world did, as a value: sending never throws for it. */
export type OutboundResult =
  | { kind: 'response'; status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }
  | { kind: 'timeout' }
  | { kind: 'refused'; reason: string }
  | { kind: 'network'; code: string };

/** How one try of a step ended. */
export type StepOutcome =
  | {
      kind: 'completed';
      outputs: Record<string, unknown>;
      /** Steps to run next, by name; left out, every step that the manifest names. */
      chosen?: readonly string[];
      /** Shown to the caller with the step's progress. */
      message?: string;
    }
  | { kind: 'failed'; error: RunError; retryable: boolean };

export type StepPlan =
  | StepOutcome
  /** Durable: the outcome holds once the time has come, across restarts. */
  | { kind: 'wait'; seconds: number; outcome: StepOutcome }
  /** The run is on disk before the engine sends; an interrupted send is repeated under the same key. */
  | { kind: 'send'; request: OutboundRequest };

export interface StepContext {
  /** From 1; a retried step is planned anew. */
  attempt: number;
  /** `inputs`, `steps` and `request`, as selectors see them. */
  roots: Roots;
}

export interface StepType<Manifest = Record<string, unknown>> {
  /** As it stands in definitions: `sluice/set@v1`. */
  readonly type: string;
  /** Properties of the manifest beside `type`, `name` and `retry`, which every step has. */
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  /** What the schema cannot say. */
  readonly findFaults?: (manifest: Manifest) => Fault[];
  /** Names that selectors may use after `$steps.<name>.`; null for any. */
  readonly outputs: (manifest: Manifest) => readonly string[] | null;
  /** `manifest` has its selectors resolved, save those that only name steps. Must not change it. */
  readonly plan: (manifest: Manifest, context: StepContext) => StepPlan;
  /** Required of a type whose plans send. */
  readonly interpret?: (manifest: Manifest, result: OutboundResult, context: StepContext) => StepOutcome;
}
