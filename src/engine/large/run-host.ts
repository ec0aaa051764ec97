// The thread's side of large runs: decodes their bodies and plans their turns, one after the other.

import { parseJson, stringifyJson } from '../../core/json/json.ts';
import { decodeStored } from '../../core/json/stored-value.ts';
import { decodedBytes } from '../../core/run/decoded-bytes.ts';
import { decodeBody, type RequestBody, type RequestHead } from '../../core/run/request.ts';
import { resolveBindings } from '../../core/workflow/bindings.ts';
import type { WorkflowDocument } from '../../core/workflow/document.ts';
import { bindInputs } from '../../core/workflow/inputs.ts';
import { planWorkflow, type Workflow } from '../../core/workflow/plan.ts';
import { AppError } from '../../errors.ts';
import type { StepTypes } from '../../steps/registry.ts';
import { CAPTURE_WORKFLOW } from '../../steps/sluice/capture.ts';
import { Execution } from '../execution/execution.ts';
import type { ExecutionTools, LocalEffect } from '../execution/execution-start.ts';
import type { MemoryEntry } from '../step-memory.ts';
import { INTERNAL } from '../turn.ts';
import { unpackImages } from './carried-images.ts';
import type { Ask, LargeBody, PlanLargeTurn, PlannedLargeTurn, RenderLarge, Reply, StartLargeRun } from './messages.ts';

/** Throws AppError for bytes that are not of the declared kind. */
export type ReadReceived = (bytes: Uint8Array, reading: unknown) => { body: RequestBody; value: unknown };

export interface RunHostOptions {
  tools: Pick<ExecutionTools, 'placeholder' | 'mask'>;
  stepTypes: StepTypes;
  readReceived: ReadReceived;
  /** The limit for a decoded body, in bytes. */
  maxDecodedBytes: number;
}

interface HostedRun {
  execution: Execution;
  recalled: Map<string, MemoryEntry>;
  /** The memory of the turn that is being planned. */
  effects: LocalEffect[];
  bug: string | null;
}

/** Answers requests one after the other. */
export function createRunHost({ tools, stepTypes, readReceived, maxDecodedBytes }: RunHostOptions): (ask: Ask) => Promise<Reply | null> {
  const runs = new Map<number, HostedRun>();
  /** As of the last turn. */
  let wallAheadMs = 0;
  const toWall = (at: number): number => at + wallAheadMs;

  async function start(id: number, { runId, sinkId, workflow, head: headText, body, inputs, past }: StartLargeRun): Promise<Reply> {
    const planned = workflow === null ? CAPTURE_WORKFLOW : planOf(workflow);
    const head = parseJson(headText) as RequestHead;
    const { value, ...decoded } = read(body, head);
    const request = { ...head, body: value };
    const bound =
      'bound' in inputs ? (parseJson(inputs.bound) as Record<string, unknown>) : bindInputs(planned, inputs.mapping, request, decoded.kind);
    const recalled = new Map<string, MemoryEntry>();
    const recall = (_sinkId: string, key: string): MemoryEntry | undefined => recalled.get(key);
    const executionTools = { ...tools, stepTypes, random: Math.random, recall, toWall };
    const execution = new Execution(executionTools, { runId, sinkId, workflow: planned, request, inputs: bound }, past ?? undefined);
    runs.set(id, { execution, recalled, effects: [], bug: null });
    const isMapped = 'mapping' in inputs && Object.keys(inputs.mapping).length > 0;
    return { id, started: { kind: decoded.kind, charset: decoded.charset, inputs: isMapped ? stringifyJson(bound) : null } };
  }

  function read(body: LargeBody, head: RequestHead): { value: unknown; kind: RequestBody['kind']; charset: string } {
    const bytes = 'stored' in body ? body.stored.bytes : body.received;
    if (decodedBytes(bytes) > maxDecodedBytes) throw tooManyValues(maxDecodedBytes);
    if ('stored' in body) return { ...body.stored, value: decodeBody(body.stored, head.files) };
    const received = readReceived(body.received, body.reading);
    return { ...received.body, value: received.value };
  }

  function render({ head: headText, body, template, roots }: RenderLarge): string {
    const head = parseJson(headText) as RequestHead;
    const request = { ...head, body: read(body, head).value };
    return stringifyJson(resolveBindings(parseJson(template), { ...(parseJson(roots) as object), request }));
  }

  function plan(run: HostedRun, { given, now, wallNow, leaseUntil, recalled }: PlanLargeTurn): PlannedLargeTurn {
    const { execution } = run;
    wallAheadMs = wallNow - now;
    for (const { key, version, value } of recalled) run.recalled.set(key, { version, value: decodeStored(value) });
    try {
      for (const fact of given) {
        if (fact.kind === 'abort') execution.abort(fact.error);
        else if (fact.kind === 'result') execution.giveResult(fact.step, fact.result);
        else execution.giveImages(fact.step, unpackImages(fact.images));
      }
      run.effects.push(...execution.advance(now));
    } catch (error) {
      run.bug = (error as Error).stack ?? String(error);
      run.effects = [];
      execution.abort(INTERNAL);
    }
    const keys = execution.takeWantedKeys();
    if (keys.length > 0) return { kind: 'wanting', keys };
    const change = execution.takeChange(leaseUntil, now);
    const { effects, bug } = run;
    // Another run may change the memory before the next turn.
    run.recalled.clear();
    Object.assign(run, { effects: [], bug: null });
    return { kind: 'planned', change, effects, awaited: execution.awaited, bug };
  }

  async function answer(ask: Ask): Promise<Reply | null> {
    const { id } = ask;
    try {
      if (ask.ask === 'start') return await start(id, ask.run);
      if (ask.ask === 'render') return { id, rendered: render(ask.render) };
      if (ask.ask === 'plan') return { id, planned: plan(runs.get(id) as HostedRun, ask.turn) };
      runs.delete(id);
      return null;
    } catch (error) {
      if (!(error instanceof AppError)) return { id, broken: (error as Error).stack ?? String(error) };
      const { code, message, details } = error;
      return { id, refused: { code, message, details } };
    }
  }

  let last: Promise<unknown> = Promise.resolve();
  return (ask) => {
    const reply = last.then(() => answer(ask));
    last = reply;
    return reply;
  };
}

function planOf({ id, version, document }: NonNullable<StartLargeRun['workflow']>): Workflow {
  return planWorkflow(id, version, parseJson(document) as WorkflowDocument);
}

function tooManyValues(maxBytes: number): AppError {
  return new AppError('too_large', `the body holds so many values that they would take more than ${maxBytes} bytes of memory`);
}
