// A new run as it is stored: the request of its trigger, and its first turn.

import { stringifyJson } from '../../core/json/json.ts';
import type { WorkflowVersion } from '../../core/workflow/plan.ts';
import type { NewRun, Turn } from '../../storage/runs/run-records.ts';
import type { Trigger } from './trigger.ts';

export interface FirstTurn {
  runId: string;
  now: number;
  firstTurn: { turn: Turn };
  /** JSON text of the bound inputs; null if request and workflow determine them. */
  inputs: string | null;
}

/** `flowKey` is null without flow control. */
export function newRun(trigger: Trigger<WorkflowVersion>, planned: FirstTurn, flowKey: string | null): NewRun {
  const { runId, now, firstTurn, inputs } = planned;
  const { appId, sinkId, head, body, idempotency, replay } = trigger;
  return {
    runId,
    appId,
    sinkId,
    workflow: trigger.workflowReference,
    request: stringifyJson(head),
    bodyKind: body.kind,
    bodyCharset: body.charset,
    body: body.bytes,
    blobs: head.files.map(({ sha256 }) => sha256),
    inputs,
    idempotency,
    flowKey,
    replay: replay === undefined ? null : { of: replay.of, mode: replay.mode, jobId: replay.jobId },
    createdAt: now,
    turn: firstTurn.turn,
  };
}
