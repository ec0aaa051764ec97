// Restores a stored run so that it can resume: in this thread, or in the thread of large runs.

import { parseJson, stringifyJson } from '../core/json/json.ts';
import { decodeBody, type Request, type RequestHead } from '../core/run/request.ts';
import type { RunError } from '../core/run/run.ts';
import { LARGE_RUN_BYTES } from '../core/run/run-weight.ts';
import { bindInputs } from '../core/workflow/inputs.ts';
import { AppError } from '../errors.ts';
import type { ClaimedRun } from '../storage/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import type { Trigger } from './dispatch.ts';
import { Execution } from './execution/execution.ts';
import type { ExecutionTools } from './execution/execution-start.ts';
import { type LargeRun, type LargeRuns, MEMORY_EXCEEDED } from './large/large-runs.ts';
import { largeBody } from './large/messages.ts';
import { ActiveRun } from './turn.ts';
import { createWorkflowCache } from './workflow-cache.ts';

export interface RestoreOptions {
  storage: Pick<Storage, 'findWorkflow'>;
  tools: ExecutionTools;
  largeRuns: LargeRuns;
}

export interface Restoring {
  /** Rejects with `unavailable` when the run should be tried again. A run that cannot resume fails in its next turn. */
  restore(claimed: ClaimedRun): Promise<ActiveRun>;
  startLarge(runId: string, trigger: Trigger): Promise<LargeRun>;
}

const WORKFLOW_MISSING: RunError = { code: 'workflow_missing', message: 'the workflow version of this run is no longer stored' };
const NO_WORKFLOW = { id: '', version: 0, inputs: [], steps: [], loops: null, outputs: [] };

export function createRestoring({ storage, tools, largeRuns }: RestoreOptions): Restoring {
  const loadWorkflow = createWorkflowCache(storage);

  async function definitionOf(appId: string, reference: ClaimedRun['workflow']) {
    if (reference === null) return null;
    const record = await storage.findWorkflow(appId, reference.id, reference.version);
    if (record === null) throw new AppError('not_found', WORKFLOW_MISSING.message);
    return { id: record.id, version: record.version, document: record.document };
  }

  async function restoreHere(claimed: ClaimedRun): Promise<Execution> {
    const workflow = await loadWorkflow(claimed.appId, claimed.workflow);
    if (workflow === null) return failed(claimed, WORKFLOW_MISSING);
    const head = parseJson(claimed.request) as RequestHead;
    const request: Request = { ...head, body: decodeBody(storedBody(claimed), head.files) };
    const inputs =
      claimed.inputs === null
        ? bindInputs(workflow, {}, request, claimed.bodyKind)
        : (parseJson(claimed.inputs) as Record<string, unknown>);
    return new Execution(tools, { runId: claimed.lease.runId, sinkId: claimed.sinkId, workflow, request, inputs }, claimed);
  }

  async function restoreLarge(claimed: ClaimedRun): Promise<Execution | LargeRun> {
    const { lease, sinkId, inputs, steps, progress, lastSeq } = claimed;
    try {
      const start = {
        runId: lease.runId,
        sinkId,
        workflow: await definitionOf(claimed.appId, claimed.workflow),
        head: claimed.request,
        body: { stored: storedBody(claimed) },
        inputs: inputs === null ? { mapping: {} } : { bound: inputs },
        past: { steps, progress, lastSeq },
      };
      return await largeRuns.start(start, claimed.bytes);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'unavailable') throw error;
      return failed(claimed, error.code === 'too_large' ? MEMORY_EXCEEDED : { code: error.code, message: error.message });
    }
  }

  /** An execution whose next turn fails the run. */
  function failed(claimed: ClaimedRun, error: RunError): Execution {
    const head = parseJson(claimed.request) as RequestHead;
    const start = {
      runId: claimed.lease.runId,
      sinkId: claimed.sinkId,
      workflow: NO_WORKFLOW,
      request: { ...head, body: null },
      inputs: {},
    };
    const execution = new Execution(tools, start, { ...claimed, steps: [] });
    execution.abort(error);
    return execution;
  }

  return {
    async restore(claimed) {
      const { lease, appId, sinkId, createdAt, bytes } = claimed;
      const execution = await (bytes > LARGE_RUN_BYTES ? restoreLarge(claimed) : restoreHere(claimed));
      const { files } = parseJson(claimed.request) as RequestHead;
      return new ActiveRun(lease, { appId, sinkId, createdAt, bytes }, execution, files);
    },
    async startLarge(runId, { appId, sinkId, workflowReference, head, body, reading, inputMapping }) {
      const workflow = await definitionOf(appId, workflowReference);
      const start = { runId, sinkId, workflow, head: stringifyJson(head), inputs: { mapping: inputMapping }, past: null };
      return await largeRuns.start({ ...start, body: largeBody(body, reading) }, body.bytes.byteLength);
    },
  };
}

function storedBody({ bodyKind, bodyCharset, body }: ClaimedRun) {
  return { kind: bodyKind, bytes: body, charset: bodyCharset };
}
