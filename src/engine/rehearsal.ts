// Runs a workflow once in memory, to try it out: nothing is stored, sent or written. Messages are recorded and count as
// answered, waits end at once, the first choice of a reply is made, and steps remember nothing from earlier runs.

import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import type { OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';
import { parseReplyId, type Reply } from '../core/reply/reply.ts';
import type { ReplyForm } from '../core/reply/reply-form.ts';
import { keyOf } from '../core/run/item-visits.ts';
import type { BodyOutline, Request } from '../core/run/request.ts';
import { isTerminal, type RunError } from '../core/run/run.ts';
import type { Images, ImageWant } from '../core/uql/image.ts';
import { FOR_EACH } from '../core/workflow/for-each/for-each-step.ts';
import { stepAt, type Workflow } from '../core/workflow/plan.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { FileRead, FileWrite, ReadResult } from '../steps/step-type.ts';
import type { StepRecord } from '../storage/runs/run-records.ts';
import { Execution } from './execution/execution.ts';
import type { LocalEffect, SecretPlaceholder } from './execution/program.ts';
import { createStepMemory } from './step-memory.ts';

export interface RehearsalOptions extends BodyOutline {
  stepTypes: StepTypes;
  workflow: Workflow;
  request: Request;
  inputs: Record<string, unknown>;
  now: number;
  loadImages: (wants: readonly ImageWant[]) => Promise<Images>;
  readFile: (read: FileRead) => Promise<ReadResult>;
  placeholder: SecretPlaceholder;
  mask: (runId: string, text: string) => string;
  /** The answer of every receiver. */
  answer: (message: OutboundMessage) => OutboundResult;
}

export interface Rehearsal {
  status: 'completed' | 'failed';
  /** JSON text. */
  output: string | null;
  error: RunError | null;
  /** The steps, in the order in which they ended; a for_each step comes before its items. */
  steps: StepRecord[];
  deliveries: { step: string; isAwaited: boolean; message: OutboundMessage }[];
  writes: { step: string; write: FileWrite }[];
}

/** The run that placeholders of secrets are made for. */
export const REHEARSED_RUN_ID = 'run_00000000000rehearsal00000000000';

export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const { workflow, request, inputs, bodyKind, bodySize, stepTypes, placeholder, mask, answer } = options;
  const memory = createStepMemory({ readMemory: () => Promise.resolve([]) });
  const tools = { stepTypes, random: () => 0.5, recall: memory.peek, toWall: (at: number) => at, placeholder, mask };
  const execution = new Execution(tools, {
    runId: REHEARSED_RUN_ID,
    sinkId: '',
    workflow,
    request,
    inputs,
    bodyKind,
    bodySize,
    isDry: false,
    kept: null,
  });
  const rehearsal: Rehearsal = { status: 'completed', output: null, error: null, steps: [], deliveries: [], writes: [] };
  const steps = new Map<string, StepRecord>();
  for (let now = options.now; ; ) {
    const effects = execution.advance(now);
    for (let keys = execution.takeWantedKeys(); keys.length > 0; keys = execution.takeWantedKeys()) {
      await memory.load('', keys);
      effects.push(...execution.advance(now));
    }
    const turn = execution.takeTurn(now);
    memory.applyOptimistically('', turn.memory);
    for (const { step, visit, awaits } of turn.steps)
      if (awaits !== null) execution.giveResult(step, visit, firstChoice(workflow, awaits, now));
    for (const record of turn.steps) if (record.finishedAt !== null || record.type === FOR_EACH) steps.set(keyOf(record), record);
    for (const { id, step, isAwaited, message } of turn.deliveries) {
      rehearsal.deliveries.push({ step, isAwaited, message });
      if (isAwaited) execution.giveResult(step, parseDeliveryId(id)?.visit ?? 1, answer(message));
    }
    if (isTerminal(turn.status)) {
      rehearsal.steps = [...steps.values()].filter(({ finishedAt }) => finishedAt !== null);
      return { ...rehearsal, status: turn.status === 'completed' ? 'completed' : 'failed', output: turn.output, error: turn.error };
    }
    for (const effect of effects) await perform(effect, execution, rehearsal, options);
    now = Math.max(now, turn.wakeAt ?? now);
  }
}

function firstChoice(workflow: Workflow, replyId: string, at: number): Reply {
  const { place } = parseReplyId(replyId);
  const [choice = ''] = (stepAt(workflow, place)?.written as ReplyForm | undefined)?.choices ?? [];
  return { kind: 'replied', choice, body: null, at };
}

async function perform(
  { step, visit, plan }: LocalEffect,
  execution: Execution,
  { writes }: Rehearsal,
  { loadImages, readFile }: RehearsalOptions,
): Promise<void> {
  if (plan.kind === 'load') return execution.giveImages(step, visit, await loadImages(plan.wants));
  if (plan.kind === 'read') return execution.giveResult(step, visit, await readFile(plan));
  writes.push({ step, write: plan });
  execution.giveResult(step, visit, { kind: 'written' });
}
