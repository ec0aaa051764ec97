// Asks the step types of one run for their plans, with all that they plan on: the manifest, the context, what is
// remembered, and the images that were loaded.

import type { Images } from '../core/image.ts';
import type { Workflow, WorkflowStep } from '../core/workflow.ts';
import type { StepTypes } from '../steps/index.ts';
import type { EffectResult, StepOutcome, StepPlan, StepType } from '../steps/step-type.ts';
import { PlanContext, type PlannedRun } from './plan-context.ts';
import type { RunMemory } from './run-memory.ts';

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

  /** What it remembers must be loaded before it can be asked; noted as wanted. */
  lacksMemory(step: WorkflowStep): boolean {
    const key = this.#memoryKeyOf(step, this.typeOf(step));
    return key !== null && !this.#memory.has(key);
  }

  plan(step: WorkflowStep, attempt: number, now: number): StepPlan {
    const stepType = this.typeOf(step);
    return stepType.plan(this.#manifestOf(step), this.#contextOf(step, stepType, attempt, now));
  }

  interpret(step: WorkflowStep, result: EffectResult, attempt: number, now: number): StepOutcome {
    const stepType = this.typeOf(step);
    if (stepType.interpret === undefined) throw new Error(`step type ${step.type} cannot interpret a result`);
    return stepType.interpret(this.#manifestOf(step), result, this.#contextOf(step, stepType, attempt, now));
  }

  /** Undefined: nothing new. */
  remember(step: WorkflowStep, value: unknown): void {
    if (value === undefined) return;
    const key = this.#memoryKeyOf(step, this.typeOf(step));
    if (key === null) throw new Error(`step type ${step.type} remembers something without a key`);
    this.#memory.write(key, value);
  }

  giveImages(step: string, images: Images): void {
    this.#images = (this.#images ?? new Map()).set(step, images);
  }

  #manifestOf(step: WorkflowStep): Record<string, unknown> {
    return step.manifest(this.#run.roots) as Record<string, unknown>;
  }

  #memoryKeyOf(step: WorkflowStep, stepType: StepType): string | null {
    return stepType.memoryKey?.(this.#manifestOf(step), { step: step.name }) ?? null;
  }

  #contextOf(step: WorkflowStep, stepType: StepType, attempt: number, now: number): PlanContext {
    const key = this.#memoryKeyOf(step, stepType);
    const memory = key === null ? null : this.#memory.read(key);
    const no = this.#workflow.steps.indexOf(step);
    return new PlanContext(this.#run, { name: step.name, no, attempt, memory, images: this.#images?.get(step.name) }, now);
  }
}
