// Restores a stored run so that it can resume: in this thread, or in the thread of large runs.

import { parseJson, stringifyJson } from '../core/json/json.ts';
import type { Replay } from '../core/run/replay.ts';
import { decodeBody, type Request, type RequestHead } from '../core/run/request.ts';
import type { RunError } from '../core/run/run.ts';
import { LARGE_RUN_BYTES } from '../core/run/run-weight.ts';
import { bindInputs } from '../core/workflow/inputs.ts';
import type { WorkflowVersion } from '../core/workflow/plan.ts';
import { AppError } from '../errors.ts';
import type { ClaimedRun } from '../storage/runs/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import { keptBy } from './dispatch/kept-steps.ts';
import type { Trigger } from './dispatch/trigger.ts';
import { FailedProgram } from './execution/failed-program.ts';
import type { KeptSteps, Program, Programs, ProgramTools, WorkflowReference } from './execution/program.ts';
import { type LargeRun, type LargeRuns, MEMORY_EXCEEDED } from './large/large-runs.ts';
import { largeBody, type StartLargeRun } from './large/messages.ts';
import { ActiveRun } from './turn.ts';

export interface RestoreOptions<Version extends WorkflowVersion> {
  storage: Pick<Storage, 'findWorkflow'>;
  programs: Programs<Version>;
  tools: ProgramTools;
  largeRuns: LargeRuns;
}

const WORKFLOW_MISSING: RunError = { code: 'workflow_missing', message: 'the workflow version of this run is no longer stored' };

export class RunRestorer<Version extends WorkflowVersion> {
  readonly #options: RestoreOptions<Version>;

  constructor(options: RestoreOptions<Version>) {
    this.#options = options;
  }

  /** Rejects with `unavailable` when the run should be tried again. A run that cannot resume fails in its next turn. */
  readonly restore = async (claimed: ClaimedRun): Promise<ActiveRun> => {
    const { lease, appId, sinkId, createdAt, bytes, hasFlow } = claimed;
    const program = await (bytes > LARGE_RUN_BYTES ? this.#restoreLarge(claimed) : this.#restoreHere(claimed));
    const { files } = parseJson(claimed.request) as RequestHead;
    return new ActiveRun(lease, { appId, sinkId, createdAt, bytes, hasFlow }, program, files);
  };

  /** Starts a new run whose body only the thread of large runs decodes. Rejects as `LargeRuns.start` does. */
  readonly startLarge = async (runId: string, trigger: Trigger<Version>): Promise<LargeRun> => {
    const { appId, sinkId, workflowReference, head, body, reading, inputMapping, replay } = trigger;
    const workflow = await this.#documentOf(appId, workflowReference);
    const inputs = { mapping: inputMapping };
    const kept = keptBy(runId, replay, this.#options.tools.placeholder);
    const start = { runId, sinkId, workflow, head: stringifyJson(head), inputs, isDry: isDry(trigger), kept, past: null };
    return await this.#startLarge({ ...start, body: largeBody(body, reading) }, body.bytes.byteLength + bytesKept(kept));
  };

  async #restoreHere(claimed: ClaimedRun): Promise<Program> {
    const { programs } = this.#options;
    const workflow = await programs.load(claimed.appId, claimed.workflow);
    if (workflow === null) return this.#failed(claimed, WORKFLOW_MISSING);
    const head = parseJson(claimed.request) as RequestHead;
    const request: Request = { ...head, body: decodeBody(storedBody(claimed), head.files) };
    const given = inputsOf(claimed);
    let inputs: Record<string, unknown>;
    try {
      inputs = 'mapping' in given ? bindInputs(workflow, given.mapping, request, claimed.bodyKind) : parseInputs(given.bound);
    } catch (error) {
      // The requests of a batch were checked one by one.
      if (!(error instanceof AppError) || claimed.bodyKind !== 'batch') throw error;
      return this.#failed(claimed, { code: error.code, message: error.message });
    }
    const { lease, sinkId, bodyKind, body } = claimed;
    const bodySize = body.byteLength;
    const start = { runId: lease.runId, sinkId, workflow, request, inputs, bodyKind, bodySize, isDry: isDry(claimed), kept: null };
    return programs.create(start, claimed);
  }

  async #restoreLarge(claimed: ClaimedRun): Promise<Program> {
    const { lease, sinkId, steps, isAnswered, progress, lastSeq } = claimed;
    try {
      const start: StartLargeRun = {
        runId: lease.runId,
        sinkId,
        workflow: await this.#documentOf(claimed.appId, claimed.workflow),
        head: claimed.request,
        body: { stored: storedBody(claimed) },
        inputs: inputsOf(claimed),
        isDry: isDry(claimed),
        kept: null,
        past: { steps, isAnswered, progress, lastSeq },
      };
      return await this.#startLarge(start, claimed.bytes);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'unavailable') throw error;
      return this.#failed(claimed, error.code === 'too_large' ? MEMORY_EXCEEDED : { code: error.code, message: error.message });
    }
  }

  #startLarge(start: StartLargeRun, bytes: number): Promise<LargeRun> {
    const { largeRuns, tools } = this.#options;
    return largeRuns.start(start, bytes, tools.recall);
  }

  /** The thread of large runs plans the workflow itself, from its document. */
  async #documentOf(appId: string, reference: WorkflowReference | null): Promise<StartLargeRun['workflow']> {
    if (reference === null) return null;
    const record = await this.#options.storage.findWorkflow(appId, reference.id, reference.version);
    if (record === null) throw new AppError('not_found', WORKFLOW_MISSING.message);
    return { id: record.id, version: record.version, document: record.document };
  }

  #failed({ lease, progress, lastSeq }: ClaimedRun, error: RunError): Program {
    const message = this.#options.tools.mask(lease.runId, error.message);
    return new FailedProgram({ progress, lastSeq }, { ...error, message });
  }
}

/** Those of a batch are bound each time, by the mapping that is stored with it. */
function inputsOf({ inputs, bodyKind, replay }: ClaimedRun): StartLargeRun['inputs'] {
  if (inputs === null) return { mapping: {} };
  return bodyKind === 'batch' && replay === null ? { mapping: JSON.parse(inputs) as Record<string, string> } : { bound: inputs };
}

function parseInputs(text: string): Record<string, unknown> {
  return parseJson(text) as Record<string, unknown>;
}

function isDry({ replay }: { replay?: Pick<Replay, 'mode'> | null }): boolean {
  return replay?.mode === 'dry';
}

/** Of the outputs that are decoded with the run. */
function bytesKept(kept: KeptSteps | null): number {
  return kept?.steps.reduce((bytes, { outputs }) => bytes + (outputs?.length ?? 0), 0) ?? 0;
}

function storedBody({ bodyKind, bodyCharset, body }: ClaimedRun) {
  return { kind: bodyKind, bytes: body, charset: bodyCharset };
}
