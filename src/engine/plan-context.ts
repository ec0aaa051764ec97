// What a step type is given when it plans. A class and no closures, because one is made for every step of every run;
// what few steps ask for is made when it is asked for.

import type { Roots } from '../core/bindings.ts';
import { deliveryIdOf } from '../core/delivery-id.ts';
import { type Images, unloadedImages } from '../core/image.ts';
import type { StepContext } from '../steps/step-type.ts';

/** Gives what stands for a secret in what a run plans; null where there is none of that name. */
export type SecretPlaceholder = (runId: string, name: string) => string | null;

/** The same for all steps of a run. */
export interface PlannedRun {
  runId: string;
  roots: Roots;
  placeholder: SecretPlaceholder;
}

export class PlanContext implements StepContext {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
  readonly now: number;
  readonly roots: Roots;
  readonly memory: unknown;
  readonly images: Images;
  readonly #stepNo: number;
  readonly #placeholder: SecretPlaceholder;
  #state: number | null = null;

  constructor(
    run: PlannedRun,
    step: { name: string; no: number; attempt: number; memory: unknown; images: Images | undefined },
    now: number,
  ) {
    this.runId = run.runId;
    this.roots = run.roots;
    this.#placeholder = run.placeholder;
    this.step = step.name;
    this.#stepNo = step.no;
    this.attempt = step.attempt;
    this.memory = step.memory;
    this.images = step.images ?? unloadedImages;
    this.now = now;
  }

  get deliveryId(): string {
    return deliveryIdOf(this.runId, this.#stepNo);
  }

  secret(name: string): string | null {
    return this.#placeholder(this.runId, name);
  }

  /** Seeded by run and step, so that a step that is planned again draws the same. Mulberry32. */
  random(): number {
    this.#state ??= hash(`${this.runId} ${this.step}`);
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}
