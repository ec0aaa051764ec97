// Asks the step types of one run for their plans, with all that they plan on: the manifest, the context, what is
// remembered, and the images that were loaded.

import type { Images } from '../../core/uql/image.ts';
import type { WorkflowStep } from '../../core/workflow/plan.ts';
import type { StepTypes } from '../../steps/registry.ts';
import type { EffectResult, StepOutcome, StepPlan, StepType } from '../../steps/step-type.ts';
import type { MemoryEntry } from '../step-memory.ts';
import { type PlannedRun, PreparedStep, type Try } from './prepared-step.ts';
import { RunMemory } from './run-memory.ts';

/** What the steps of a sink remember; undefined where it must be loaded first. */
export type Recall = (sinkId: string, key: string) => MemoryEntry | undefined;

export class StepPlanner {
  readonly #stepTypes: StepTypes;
  readonly #run: PlannedRun;
  readonly #recall: Recall;
  readonly sinkId: string;
  /** Null until a step remembers something: most runs have none that does. */
  #memory: RunMemory | null = null;
  /** By step. */
  #images: Map<string, Images> | null = null;

  constructor(stepTypes: StepTypes, run: PlannedRun, sinkId: string, recall: Recall) {
    this.#stepTypes = stepTypes;
    this.#run = run;
    this.sinkId = sinkId;
    this.#recall = recall;
  }

  /** What was read and written of the sink's memory; null where nothing was. */
  get memory(): RunMemory | null {
    return this.#memory;
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
  prepare(step: WorkflowStep, stepType: StepType, which: Try): PreparedStep | null {
    const prepared = new PreparedStep(this.#run, step, stepType, which);
    const images = this.#images?.get(step.name);
    if (images !== undefined) prepared.images = images;
    if (prepared.memoryKey === null) return prepared;
    this.#memory ??= new RunMemory((key) => this.#recall(this.sinkId, key));
    if (!this.#memory.has(prepared.memoryKey)) return null;
    prepared.memory = this.#memory.read(prepared.memoryKey);
    return prepared;
  }

  plan(prepared: PreparedStep): StepPlan {
    return prepared.stepType.plan(prepared.manifest, prepared);
  }

  interpret(prepared: PreparedStep, result: EffectResult): StepOutcome {
    const { stepType, manifest } = prepared;
    if (stepType.interpret === undefined) throw new Error(`step type ${stepType.type} cannot interpret a result`);
    return stepType.interpret(manifest, result, prepared);
  }

  /** Nothing where there is nothing new, or nowhere to keep it. */
  remember({ memoryKey }: PreparedStep, value: unknown): void {
    if (value !== undefined && memoryKey !== null) this.#memory?.write(memoryKey, value);
  }

  giveImages(step: string, images: Images): void {
    this.#images = (this.#images ?? new Map()).set(step, images);
  }
  /** The step runs anew, and may want others. */
  forgetImages(step: string): void {
    this.#images?.delete(step);
  }
}
