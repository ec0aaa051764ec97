// The messages between the engine and the thread of large runs: plain values that pass between threads.

import type { BodyKind, RequestBody } from '../../core/run/request.ts';
import type { RunError } from '../../core/run/run.ts';
import type { RefusalReason } from '../../errors.ts';
import type { EffectResult } from '../../steps/step-type.ts';
import type { Turn } from '../../storage/runs/run-records.ts';
import type { KeptSteps, LocalEffect, ProgramPast } from '../execution/program.ts';
import type { CarriedImage } from './carried-images.ts';

/** A new body is checked as the sink's settings require. A stored body was checked before. */
export type LargeBody = { stored: RequestBody } | { received: Uint8Array; reading: unknown };

/** A body without a reading is a stored one. */
export function largeBody(body: RequestBody, reading: unknown): LargeBody {
  return reading === undefined || reading === 'stored' ? { stored: body } : { received: body.bytes, reading };
}

/** A template as JSON text, and the roots beside the request that it selects from. */
export interface RenderLarge {
  head: string;
  body: LargeBody;
  template: string;
  roots: string;
}

/** A body, and the schema of its sink as JSON text. */
export interface CheckLarge {
  body: LargeBody;
  schema: string;
}

export interface StartLargeRun {
  runId: string;
  sinkId: string;
  /** The definition as JSON text; null for a sink that captures. */
  workflow: { id: string; version: number; document: string } | null;
  /** JSON text of the RequestHead. */
  head: string;
  body: LargeBody;
  /** How inputs are bound, or the JSON text of those that are bound. */
  inputs: { mapping: Readonly<Record<string, string>> } | { bound: string };
  isDry: boolean;
  kept: KeptSteps | null;
  past: ProgramPast | null;
}

export interface StartedLargeRun {
  /** How the body was read. */
  kind: BodyKind;
  charset: string;
  /** JSON text of the bound inputs; null if they follow from the request and its workflow. */
  inputs: string | null;
}

/** A result for a step of the run, or its abort, since the last turn. */
export type Given =
  | { kind: 'result'; step: string; visit: number; result: EffectResult }
  | { kind: 'images'; step: string; visit: number; images: CarriedImage[] }
  | { kind: 'abort'; error: RunError };

export interface PlanLargeTurn {
  given: Given[];
  now: number;
  /** The time of the wall clock at `now`. */
  wallNow: number;
  /** The sink's memory under the wanted keys, as `encodeStored` writes it. */
  recalled: { key: string; version: number; value: string }[];
}

export type PlannedLargeTurn =
  /** Keys of the sink's memory that must be recalled first. */
  { kind: 'wanting'; keys: readonly string[] } | { kind: 'planned'; turn: Turn; effects: LocalEffect[]; awaited: number };

export type Ask =
  | { id: number; ask: 'start'; run: StartLargeRun }
  | { id: number; ask: 'plan'; turn: PlanLargeTurn }
  | { id: number; ask: 'render'; render: RenderLarge }
  | { id: number; ask: 'check'; check: CheckLarge }
  | { id: number; ask: 'drop' };

/** `id` is the run's. A drop has no answer. */
export type Reply =
  | { id: number; started: StartedLargeRun }
  | { id: number; planned: PlannedLargeTurn }
  | { id: number; rendered: string }
  | { id: number; checked: true }
  | { id: number; refused: { code: string; message: string; details: Record<string, unknown>; reason: RefusalReason | undefined } }
  | { id: number; broken: string };
