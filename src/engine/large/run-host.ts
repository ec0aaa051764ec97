// The thread's side of large runs: decodes their bodies and plans their turns, one after the other.

import { parseJson, stringifyJson } from '../../core/json/json.ts';
import { decodeStored } from '../../core/json/stored-value.ts';
import { checkBody } from '../../core/json-schema/check-body.ts';
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
import type { LocalEffect } from '../execution/program.ts';
import type { ExecutionTools } from '../execution/step-planner.ts';
import type { MemoryEntry } from '../step-memory.ts';
import { unpackImages } from './carried-images.ts';
import type {
  Ask,
  CheckLarge,
  Given,
  LargeBody,
  PlanLargeTurn,
  PlannedLargeTurn,
  RenderLarge,
  Reply,
  StartedLargeRun,
  StartLargeRun,
} from './messages.ts';

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
  /** The memory of the turn that is being planned. */
  recalled: Map<string, MemoryEntry>;
  effects: LocalEffect[];
}

export class RunHost {
  readonly #options: RunHostOptions;
  readonly #runs = new Map<number, HostedRun>();
  #last: Promise<unknown> = Promise.resolve();
  /** As of the last turn. */
  #wallAheadMs = 0;

  constructor(options: RunHostOptions) {
    this.#options = options;
  }

  /** Answers one request after the other. Null for a drop. Never rejects. */
  answer(ask: Ask): Promise<Reply | null> {
    const reply = this.#last.then(() => this.#reply(ask));
    this.#last = reply;
    return reply;
  }

  #reply(ask: Ask): Reply | null {
    const { id } = ask;
    try {
      if (ask.ask === 'start') return { id, started: this.#start(id, ask.run) };
      if (ask.ask === 'render') return { id, rendered: this.#render(ask.render) };
      if (ask.ask === 'check') return { id, checked: this.#check(ask.check) };
      if (ask.ask === 'plan') return { id, planned: this.#plan(this.#runs.get(id) as HostedRun, ask.turn) };
      this.#runs.delete(id);
      return null;
    } catch (error) {
      if (!(error instanceof AppError)) return { id, broken: (error as Error).stack ?? String(error) };
      const { code, message, details, reason } = error;
      return { id, refused: { code, message, details, reason } };
    }
  }

  #start(id: number, run: StartLargeRun): StartedLargeRun {
    const { runId, sinkId, workflow, head: headText, body, inputs, isDry, kept, past } = run;
    const planned = workflow === null ? CAPTURE_WORKFLOW : planOf(workflow);
    const head = parseJson(headText) as RequestHead;
    const { value, ...decoded } = this.#read(body, head.files);
    const request = { ...head, body: value };
    const bound =
      'bound' in inputs ? (parseJson(inputs.bound) as Record<string, unknown>) : bindInputs(planned, inputs.mapping, request, decoded.kind);
    const recalled = new Map<string, MemoryEntry>();
    const bodySize = bytesOf(body).byteLength;
    const start = { runId, sinkId, workflow: planned, request, inputs: bound, bodyKind: decoded.kind, bodySize, isDry, kept };
    this.#runs.set(id, { execution: new Execution(this.#toolsWith(recalled), start, past ?? undefined), recalled, effects: [] });
    const isMapped = 'mapping' in inputs && Object.keys(inputs.mapping).length > 0;
    return { kind: decoded.kind, charset: decoded.charset, inputs: isMapped ? stringifyJson(bound) : null };
  }

  #toolsWith(recalled: ReadonlyMap<string, MemoryEntry>): ExecutionTools {
    const { tools, stepTypes } = this.#options;
    const recall = (_sinkId: string, key: string): MemoryEntry | undefined => recalled.get(key);
    return { ...tools, stepTypes, random: Math.random, recall, toWall: (at) => at + this.#wallAheadMs };
  }

  #read(body: LargeBody, files: RequestHead['files']): { value: unknown; kind: RequestBody['kind']; charset: string } {
    const { maxDecodedBytes, readReceived } = this.#options;
    if (decodedBytes(bytesOf(body)) > maxDecodedBytes) throw tooManyValues(maxDecodedBytes);
    if ('stored' in body) return { ...body.stored, value: decodeBody(body.stored, files) };
    const received = readReceived(body.received, body.reading);
    return { ...received.body, value: received.value };
  }

  #render({ head: headText, body, template, roots }: RenderLarge): string {
    const head = parseJson(headText) as RequestHead;
    const request = { ...head, body: this.#read(body, head.files).value };
    return stringifyJson(resolveBindings(parseJson(template), { ...(parseJson(roots) as object), request }));
  }

  #check({ body, schema }: CheckLarge): true {
    const { value, kind } = this.#read(body, []);
    checkBody(JSON.parse(schema) as Record<string, unknown>, { value, kind, size: bytesOf(body).byteLength });
    return true;
  }

  /** An error is a bug of a step type: the engine then plans again, with an abort. */
  #plan(run: HostedRun, { given, now, wallNow, recalled }: PlanLargeTurn): PlannedLargeTurn {
    const { execution } = run;
    this.#wallAheadMs = wallNow - now;
    for (const { key, version, value } of recalled) run.recalled.set(key, { version, value: decodeStored(value) });
    for (const fact of given) apply(fact, run);
    run.effects.push(...execution.advance(now));
    const keys = execution.takeWantedKeys();
    if (keys.length > 0) return { kind: 'wanting', keys };
    const turn = execution.takeTurn(now);
    const { effects } = run;
    // Another run may change the memory before the next turn.
    run.recalled.clear();
    run.effects = [];
    return { kind: 'planned', turn, effects, awaited: execution.awaited };
  }
}

function apply(fact: Given, run: HostedRun): void {
  const { execution } = run;
  if (fact.kind === 'result') execution.giveResult(fact.step, fact.visit, fact.result);
  else if (fact.kind === 'images') execution.giveImages(fact.step, fact.visit, unpackImages(fact.images));
  else {
    execution.abort(fact.error);
    run.effects = [];
  }
}

function bytesOf(body: LargeBody): Uint8Array {
  return 'stored' in body ? body.stored.bytes : body.received;
}

function planOf({ id, version, document }: NonNullable<StartLargeRun['workflow']>): Workflow {
  return planWorkflow(id, version, parseJson(document) as WorkflowDocument);
}

function tooManyValues(maxBytes: number): AppError {
  return new AppError('too_large', `the body holds so many values that they would take more than ${maxBytes} bytes of memory`);
}
