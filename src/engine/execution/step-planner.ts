// Asks the step types of one run for their plans, with the manifest, the context, the remembered values and the loaded
// images.

import type { Request } from '../../core/run/request.ts';
import { RESPOND } from '../../core/run/run-answer.ts';
import type { Images } from '../../core/uql/image.ts';
import type { Graph, WorkflowStep } from '../../core/workflow/plan.ts';
import type { StepTypes } from '../../steps/registry.ts';
import type { EffectResult, StepOutcome, StepPlan, StepType } from '../../steps/step-type.ts';
import { type PlannedRun, PreparedStep, type Try } from './prepared-step.ts';
import type { ProgramTools, Recall } from './program.ts';
import { RunMemory } from './run-memory.ts';

export interface ExecutionTools extends ProgramTools {
  stepTypes: StepTypes;
}

/** The run as a graph sees it: an item of a list has inputs and steps of its own. */
export interface GraphRun extends PlannedRun {
  roots: { inputs: Record<string, unknown>; request: Request; steps: Record<string, unknown> };
}

export class StepPlanner {
  readonly #stepTypes: StepTypes;
  readonly run: GraphRun;
  readonly #recall: Recall;
  readonly sinkId: string;
  /** The planner of the whole run, whose memory all share. */
  readonly #outermost: StepPlanner;
  /** Null until a step remembers something, which most runs never do. */
  #memory: RunMemory | null = null;
  /** By step. */
  #images: Map<string, Images> | null = null;

  /** `outer` is that of the graph whose item this one plans. */
  constructor(stepTypes: StepTypes, run: GraphRun, sinkId: string, recall: Recall, outer?: StepPlanner) {
    this.#stepTypes = stepTypes;
    this.run = run;
    this.sinkId = sinkId;
    this.#recall = recall;
    this.#outermost = outer === undefined ? this : outer.#outermost;
  }

  /** Reads and writes of the sink's memory; null when there were none. */
  get memory(): RunMemory | null {
    return this.#memory;
  }

  typeOf(step: WorkflowStep): StepType {
    const stepType = this.#stepTypes.find(step.type);
    if (stepType === undefined) throw new Error(`step type ${step.type} is not installed`);
    return stepType;
  }

  /** A required step output is null, so the step is skipped (Roboflow's rule). */
  isStarved({ stepSelectors }: WorkflowStep, stepType: StepType): boolean {
    return (stepType.nulls ?? 'skip') === 'skip' && stepSelectors.some((select) => select(this.run.roots) === null);
  }

  /** Null when the step's memory must be loaded first; its key is then wanted. */
  prepare(step: WorkflowStep, stepType: StepType, which: Try): PreparedStep | null {
    const prepared = new PreparedStep(this.run, step, stepType, which);
    const images = this.#images?.get(step.name);
    if (images !== undefined) prepared.images = images;
    if (prepared.memoryKey === null) return prepared;
    this.#outermost.#memory ??= new RunMemory((key) => this.#recall(this.sinkId, key));
    const memory = this.#outermost.#memory;
    if (!memory.has(prepared.memoryKey)) return null;
    prepared.memory = memory.read(prepared.memoryKey);
    return prepared;
  }

  plan(prepared: PreparedStep): StepPlan {
    return prepared.stepType.plan(prepared.manifest, prepared);
  }

  interpret(prepared: PreparedStep, result: EffectResult): StepOutcome {
    const { stepType, manifest } = prepared;
    if (stepType.interpret === undefined) throw new Error(`step type ${stepType.type} cannot interpret a result`);
    const outcome = stepType.interpret(manifest, result, prepared);
    // The delivery retries its message by itself; its result is final.
    return outcome.kind === 'failed' ? { ...outcome, retryable: false } : outcome;
  }

  /** A wait that has ended takes its outcome from its plan, which is the same as at its start. */
  outcomeOfWait(prepared: PreparedStep): StepOutcome {
    const plan = this.plan(prepared);
    if (plan.kind !== 'wait') throw new Error(`step type ${prepared.stepType.type} planned a wait and now ${plan.kind}`);
    return plan.outcome;
  }

  noteCompletion(prepared: PreparedStep, remembered: unknown): void {
    if (prepared.definition.type === RESPOND) this.#outermost.run.isAnswered = true;
    this.remember(prepared, remembered);
  }

  /** Does nothing without a new value, or without a key to keep it under. */
  remember({ memoryKey }: PreparedStep, value: unknown): void {
    if (value !== undefined && memoryKey !== null) this.#outermost.#memory?.write(memoryKey, value);
  }

  /** The planner of one item of a list. `graph` runs with these inputs. */
  forItem(graph: Graph, inputs: Record<string, unknown>): StepPlanner {
    const { run } = this.#outermost;
    const item: GraphRun = {
      ...run,
      graph,
      roots: { inputs, request: run.roots.request, steps: {} },
      get isAnswered() {
        return run.isAnswered;
      },
    };
    return new StepPlanner(this.#stepTypes, item, this.sinkId, this.#recall, this);
  }

  giveImages(step: string, images: Images): void {
    this.#images = (this.#images ?? new Map()).set(step, images);
  }

  /** Drops the images of a step that runs again: it may ask for others. */
  forgetImages(step: string): void {
    this.#images?.delete(step);
  }
}
