// Asks the step types of one run for their plans, with all that they plan on: the manifest, the context, what is
// remembered, and the images that were loaded.

import type { Images } from '../core/image.ts';
import type { Workflow, WorkflowStep } from '../core/workflow.ts';
import type { StepTypes } from '../steps/index.ts';
import type { EffectResult, StepOutcome, StepPlan, StepType } from '../steps/step-type.ts';
import { PlanContext, type PlannedRun } from './plan-context.ts';
import type { RunMemory } from './run-memory.ts';

/** A step as it is about to be asked: its selectors resolved, and where it keeps what it remembers. */
export interface PreparedStep {
  step: WorkflowStep;
  stepType: StepType;
  manifest: Record<string, unknown>;
  memoryKey: string | null;
}

export class StepPlanner {
  readonly #stepTypes: StepTypes;
  readonly #workflow: Workflow;
  readonly #run: PlannedRun;
  readonly #memory: RunMemory;
  /** By step. */
  #images: Map<string, Images> | null = null;

  constructor(stepTypes: StepTypes, workflow: Workflow, run: PlannedRun, memory: RunMemory) {
    this.#stepTypes = stepTypes;
    this.#workflow = workflow;
    this.#run = run;
    this.#memory = memory;
  }

  typeOf(step: WorkflowStep): StepType {
    const stepType = this.#stepTypes.find(step.type);
    if (stepType === undefined) throw new Error(`step type ${step.type} is not installed`);
    return stepType;
  }

  /** Selects nothing where another step's output should be: it is skipped then, as Roboflow does. */
  isStarved({ stepSelectors }: WorkflowStep, stepType: StepType): boolean {
    return (stepType.nulls ?? 'skip') === 'skip' && stepSelectors.some((select) => select(this.#run.roots) === null);
  }

  /** Null: what the step remembers must be loaded first, and is noted as wanted. */
  prepare(step: WorkflowStep): PreparedStep | null {
    const stepType = this.typeOf(step);
    const manifest = step.manifest(this.#run.roots) as Record<string, unknown>;
    const memoryKey = stepType.memoryKey?.(manifest, { step: step.name, written: step.written }) ?? null;
    return memoryKey === null || this.#memory.has(memoryKey) ? { step, stepType, manifest, memoryKey } : null;
  }

  plan(prepared: PreparedStep, attempt: number, now: number): StepPlan {
    return prepared.stepType.plan(prepared.manifest, this.#contextOf(prepared, attempt, now));
  }

  interpret(prepared: PreparedStep, result: EffectResult, attempt: number, now: number): StepOutcome {
    const { step, stepType, manifest } = prepared;
    if (stepType.interpret === undefined) throw new Error(`step type ${step.type} cannot interpret a result`);
    return stepType.interpret(manifest, result, this.#contextOf(prepared, attempt, now));
  }

  /** Nothing where there is nothing new, or nowhere to keep it. */
  remember({ memoryKey }: PreparedStep, value: unknown): void {
    if (value !== undefined && memoryKey !== null) this.#memory.write(memoryKey, value);
  }

  giveImages(step: string, images: Images): void {
    this.#images = (this.#images ?? new Map()).set(step, images);
  }

  #contextOf({ step: { name }, memoryKey, step }: PreparedStep, attempt: number, now: number): PlanContext {
    const memory = memoryKey === null ? null : this.#memory.read(memoryKey);
    const no = this.#workflow.steps.indexOf(step);
    return new PlanContext(this.#run, { name, no, attempt, memory, images: this.#images?.get(name) }, now);
  }
}
