// One run in memory: advances its steps, and collects the contents of the next commit. It performs no I/O: time comes as an
// argument, and the caller stores and sends.

import { stringifyShown } from '../../core/json/stored-value.ts';
import { isOfItem, keyOf } from '../../core/run/item-visits.ts';
import { progressOf, type RunError } from '../../core/run/run.ts';
import { isAnswer } from '../../core/run/run-answer.ts';
import type { ProgressEvent, RunOutcome } from '../../core/run/run-event.ts';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import type { Images } from '../../core/uql/image.ts';
import { outputsOf, type Workflow, type WorkflowStep } from '../../core/workflow/plan.ts';
import { survivesFailure } from '../../steps/step-properties.ts';
import type { EffectResult } from '../../steps/step-type.ts';
import type { NewDelivery } from '../../storage/delivery-records.ts';
import type { StepRecord, Turn } from '../../storage/runs/run-records.ts';
import { GraphExecution } from './graph-execution.ts';
import { earlier } from './items/graph-items.ts';
import { ItemExecution } from './items/item-execution.ts';
import type { Item, ItemStart, RunTurn } from './items/run-turn.ts';
import { TurnItems } from './items/turn-items.ts';
import { wantedAtEnd } from './planned-delivery.ts';
import type { KeptSteps, LocalEffect, Program, ProgramPast, ProgramStart } from './program.ts';
import { type ExecutionTools, StepPlanner } from './step-planner.ts';

const NOTHING: never[] = [];

export class Execution extends GraphExecution implements Program, RunTurn {
  readonly #workflow: Workflow;
  /** By visit of a step: the result of its effect, since it was planned. */
  #results: Map<string, EffectResult> | null = null;
  #events: ProgressEvent[] = [];
  #deliveries: NewDelivery[] | null = null;
  /** Null until items are stored. */
  #turnItems: TurnItems | null = null;
  #progress = 0;
  #lastSeq = 0;
  #ending: RunOutcome | null = null;

  /** A new run, or a run that resumes from `past`. */
  constructor(tools: ExecutionTools, start: ProgramStart, past?: ProgramPast) {
    const { runId, sinkId, workflow, request, inputs, bodyKind, bodySize, isDry, kept } = start;
    const isAnswered = past?.isAnswered === true || kept?.steps.some(isAnswer) === true;
    const run = { runId, graph: workflow, roots: { inputs, request, steps: {} }, bodyKind, bodySize, tools, isAnswered };
    super(tools, new StepPlanner(tools.stepTypes, run, sinkId, tools.recall), isDry);
    this.#workflow = workflow;
    if (kept !== null) this.#keep(kept);
    if (past === undefined) this.#emit(progressOf(this.steps.decided, workflow.steps.length));
    else {
      [this.#progress, this.#lastSeq] = [past.progress, past.lastSeq];
      this.#restore(past.steps);
    }
    this.findLoops();
  }

  advance(now: number): LocalEffect[] {
    const effects: LocalEffect[] = [];
    this.advanceSteps(now, effects);
    return this.#ending === null ? effects : [];
  }

  get awaited(): number {
    return this.steps.countAwaiting() + (this.items?.awaited ?? 0);
  }

  /** Ended items are stored, so that a run with many of them need not stay. */
  get leavesMemory(): boolean {
    return this.#turnItems !== null && this.#turnItems.storedBytes > LARGE_RUN_BYTES;
  }

  takeWantedKeys(): readonly string[] {
    return this.planner.memory?.takeWanted() ?? NOTHING;
  }

  giveResult(step: string, visit: number, result: EffectResult): void {
    this.#results = (this.#results ?? new Map()).set(keyOf({ step, visit }), result);
  }

  giveImages(step: string, visit: number, images: Images): void {
    this.takeImages(step, visit, images);
  }

  abort(error: RunError): void {
    this.#ending ??= {
      status: 'failed',
      output: null,
      error: { ...error, message: this.tools.mask(this.planner.run.runId, error.message) },
    };
  }

  takeTurn(now: number): Turn {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const isActing = ending === null && (this.steps.isActing() || this.items?.isActing === true);
    const deliveries = this.#deliveries ?? NOTHING;
    const turn: Turn = {
      status: ending?.status ?? (isActing ? 'running' : 'waiting'),
      progress: this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps: this.#takeRecords(),
      deliveries: ending === null ? deliveries : wantedAtEnd(deliveries),
      memory: this.isDry ? NOTHING : (this.planner.memory?.takeUses() ?? NOTHING),
      wakeAt: ending !== null || isActing ? null : this.#nextDueAt(now),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at: now,
    };
    this.#events = [];
    this.#deliveries = null;
    this.#turnItems?.beginTurn();
    return turn;
  }

  hasResult(step: string, visit: number): boolean {
    return this.#results?.has(keyOf({ step, visit })) === true;
  }

  takeResult(step: string, visit: number): EffectResult {
    const key = keyOf({ step, visit });
    const result = this.#results?.get(key) as EffectResult;
    this.#results?.delete(key);
    return result;
  }

  addDelivery(delivery: NewDelivery): void {
    this.#deliveries ??= [];
    this.#deliveries.push(delivery);
  }

  note(step: string, message: string): void {
    this.#emit(this.#progress, step, message);
  }

  noteItem(step: string, message: string, records: readonly StepRecord[]): void {
    this.#turnItems ??= new TurnItems();
    this.#turnItems.addItem(records);
    this.#emit(this.#reached, step, message);
  }

  get isFull(): boolean {
    return this.#turnItems?.isFull === true;
  }

  goOnLater(): void {
    if (this.#turnItems !== null) this.#turnItems.goesOn = true;
  }

  createItem(start: ItemStart): Item {
    return new ItemExecution(this, this.tools, this.isDry, start);
  }

  protected get turn(): RunTurn {
    return this;
  }

  protected get isOver(): boolean {
    return this.#ending !== null;
  }

  protected complete(): void {
    const { runId, roots } = this.planner.run;
    const output = outputsOf(this.#workflow, roots);
    this.#emit(100);
    this.#ending = { status: 'completed', output: this.tools.mask(runId, stringifyShown(output)), error: null };
  }

  protected fail(error: RunError): void {
    this.abort(error);
  }

  /** Emits the progress unless the run is about to end. */
  protected noteEnd(step: WorkflowStep, message: string | null): void {
    if (this.steps.areAllDecided && !this.willRunAgain) return;
    this.#emit(this.#reached, step.name, message);
  }

  protected failsWithItem(step: WorkflowStep): boolean {
    return !survivesFailure(this.planner.typeOf(step), step.written);
  }

  #restore(records: readonly StepRecord[]): void {
    const { steps } = this.planner.run.roots;
    let ofItems: StepRecord[] | null = null;
    for (const record of records) {
      if (!isOfItem(record.step)) steps[record.step] = this.steps.restore(record);
      else if (ofItems === null) this.past = ofItems = [record];
      else ofItems.push(record);
    }
  }

  /** The visits are of an earlier run, and stored with the next turn. */
  #keep({ steps, results }: KeptSteps): void {
    const ofItems = steps.filter(({ step }) => isOfItem(step));
    const own = steps.filter(({ step }) => !isOfItem(step));
    Object.assign(this.planner.run.roots.steps, this.steps.adopt(this.#workflow.steps, own));
    for (const { step, visit, result } of results) this.giveResult(step, visit, result);
    if (ofItems.length === 0) return;
    this.past = ofItems;
    this.#turnItems = new TurnItems();
    this.#turnItems.adopt(ofItems);
  }

  get #reached(): number {
    const done = this.items === null ? this.steps.decided : this.steps.decided + this.items.share;
    return progressOf(done, this.#workflow.steps.length);
  }

  #nextDueAt(now: number): number | null {
    if (this.items === null) return this.steps.nextDueAt();
    return this.#turnItems?.goesOn === true ? now : earlier(this.steps.nextDueAt(), this.items.nextDueAt);
  }

  #takeRecords(): StepRecord[] {
    const own = this.steps.takeRecords();
    if (this.items === null && this.#turnItems === null) return own;
    this.#turnItems ??= new TurnItems();
    this.items?.addRecords(this.#turnItems.records);
    return this.#turnItems.takeAfter(own);
  }

  #emit(reached: number, step: string | null = null, message: string | null = null): void {
    this.#progress = Math.max(this.#progress, reached);
    this.#lastSeq += 1;
    const text = message === null ? null : this.tools.mask(this.planner.run.runId, message);
    this.#events.push({ seq: this.#lastSeq, progress: this.#progress, step, message: text });
  }
}
