// Starts a run of a sink, for a request that triggers it and for the replay of an earlier run.

import type { FanOutEntry } from '../../core/sink/fan-out-setting.ts';
import type { Sink } from '../../core/sink/sink.ts';
import type { Catalog, SinkWorkflow } from '../../definitions/catalog.ts';
import type { Dispatched, SmallTrigger, Trigger } from '../../engine/dispatch/trigger.ts';
import type { Engine } from '../../engine/engine.ts';

type Input = Pick<Trigger, 'head' | 'body' | 'request' | 'reading'>;

export interface RunStarter {
  catalog: Pick<Catalog, 'workflowOf'>;
  engine: Pick<Engine, 'dispatch'>;
}

/** Resolves when the run is on disk. Rejects as `dispatch` does. */
export function startRun(
  { catalog, engine }: RunStarter,
  sink: Sink,
  input: Input,
  idempotency: Trigger['idempotency'],
): Promise<Dispatched> {
  return engine.dispatch(triggerOf(sink, catalog.workflowOf(sink), input, idempotency));
}

export interface RunsStarter {
  catalog: Pick<Catalog, 'workflowOf' | 'workflowNamed'>;
  engine: Pick<Engine, 'dispatchAll'>;
}

/** Starts all of the runs or none. Resolves when they are on disk. Rejects as `dispatchAll` does. */
export function startRuns(
  { catalog, engine }: RunsStarter,
  sink: Sink,
  items: readonly { input: Pick<SmallTrigger, 'head' | 'body' | 'request'>; idempotency: Trigger['idempotency'] }[],
): Promise<Dispatched[]> {
  const workflow = catalog.workflowOf(sink);
  return engine.dispatchAll(items.map(({ input, idempotency }) => triggerOf(sink, workflow, input, idempotency)));
}

/** Starts the workflows of these entries for one request, all or none. Rejects as `dispatchAll` does. */
export function startEntries(
  { catalog, engine }: RunsStarter,
  sink: Sink,
  entries: readonly FanOutEntry[],
  input: Input,
  idempotency: Trigger['idempotency'],
): Promise<Dispatched[]> {
  const triggers = entries.map(({ workflowId, inputs }) => {
    const workflow = catalog.workflowNamed(sink, workflowId) as SinkWorkflow;
    return { ...triggerOf(sink, workflow, input, null), inputMapping: inputs };
  });
  return engine.dispatchAll(triggers, { idempotency });
}

function triggerOf(sink: Sink, { workflow, reference }: SinkWorkflow, input: Input, idempotency: Trigger['idempotency']): Trigger {
  return {
    appId: sink.appId,
    sinkId: sink.id,
    workflow,
    workflowReference: reference,
    head: input.head,
    body: input.body,
    request: input.request,
    reading: input.reading,
    inputMapping: sink.inputs,
    flow: sink.flow ?? null,
    idempotency,
  };
}
