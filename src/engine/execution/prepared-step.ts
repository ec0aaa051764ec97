// A step ready to be planned: its manifest with resolved selectors, and the context that step types see. A class and no
// closures, because one is made for every step of every run; values that few steps need are made on demand.

import { deliveryIdOf } from '../../core/delivery/delivery-id.ts';
import { formatReplyReference, replyIdOf } from '../../core/reply/reply.ts';
import type { BodyKind, BodyOutline } from '../../core/run/request.ts';
import { type Images, unloadedImages } from '../../core/uql/image.ts';
import type { Roots } from '../../core/workflow/bindings.ts';
import type { Graph, WorkflowStep } from '../../core/workflow/plan.ts';
import type { StepContext, StepType } from '../../steps/step-type.ts';
import type { ProgramTools } from './program.ts';

/** The same for all steps of a graph. */
export interface PlannedRun extends BodyOutline {
  runId: string;
  graph: Graph;
  roots: Roots;
  tools: Pick<ProgramTools, 'toWall' | 'placeholder'>;
  /** A step has answered the caller of the sink. */
  isAnswered: boolean;
}

/** The attempt at a step. */
export type Try = Pick<StepContext, 'visit' | 'attempt' | 'now'>;

export class PreparedStep implements StepContext {
  readonly definition: WorkflowStep;
  readonly stepType: StepType;
  readonly manifest: Record<string, unknown>;
  /** Key of the step's memory; null when it remembers nothing. */
  readonly memoryKey: string | null;
  readonly visit: number;
  readonly attempt: number;
  readonly now: number;
  memory: unknown = null;
  images: Images = unloadedImages;
  readonly #run: PlannedRun;
  #state: number | null = null;

  constructor(run: PlannedRun, definition: WorkflowStep, stepType: StepType, { visit, attempt, now }: Try) {
    this.#run = run;
    this.definition = definition;
    this.stepType = stepType;
    this.visit = visit;
    this.attempt = attempt;
    this.now = now;
    this.manifest = definition.manifest(run.roots) as Record<string, unknown>;
    this.memoryKey = stepType.memoryKey?.(this.manifest, { step: definition.name, written: definition.written }) ?? null;
  }

  get runId(): string {
    return this.#run.runId;
  }

  get roots(): Roots {
    return this.#run.roots;
  }

  get isAnswered(): boolean {
    return this.#run.isAnswered;
  }

  get bodyKind(): BodyKind {
    return this.#run.bodyKind;
  }

  get bodySize(): number {
    return this.#run.bodySize;
  }

  get wallNow(): number {
    return this.#run.tools.toWall(this.now);
  }

  get step(): string {
    return this.definition.name;
  }

  get deliveryId(): string {
    return deliveryIdOf(this.#run.runId, this.#place, this.visit);
  }

  get replyId(): string {
    return replyIdOf({ place: this.#place, visit: this.visit });
  }

  get #place(): number {
    const { steps, firstPlace } = this.#run.graph;
    return firstPlace + steps.indexOf(this.definition);
  }

  replyUrl(choice: number | null, expiresAt: number): string | null {
    return this.secret(formatReplyReference({ place: this.#place, visit: this.visit, choice, expiresAt }));
  }

  secret(name: string): string | null {
    return this.#run.tools.placeholder(this.#run.runId, name);
  }

  /** Seeded by run, step and visit, so that a step that is planned again draws the same. Mulberry32. */
  random(): number {
    this.#state ??= hash(`${this.runId} ${this.step}${this.visit > 1 ? ` ${this.visit}` : ''}`);
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
