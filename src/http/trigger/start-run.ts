// Starts a run of a sink, for a request that triggers it and for the replay of an earlier run.

import type { Sink } from '../../core/sink/sink.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { Dispatched, SmallTrigger, Trigger } from '../../engine/dispatch/trigger.ts';
import type { Engine } from '../../engine/engine.ts';

export interface RunStarter {
  catalog: Pick<Catalog, 'workflowOf'>;
  engine: Pick<Engine, 'dispatch'>;
}

/** Resolves when the run is on disk. Rejects as `dispatch` does. */
export function startRun(
  { catalog, engine }: RunStarter,
  sink: Sink,
  input: Pick<Trigger, 'head' | 'body' | 'request' | 'reading'>,
  idempotency: Trigger['idempotency'],
): Promise<Dispatched> {
  return engine.dispatch(triggerOf(catalog, sink, input, idempotency));
}

export interface RunsStarter {
  catalog: Pick<Catalog, 'workflowOf'>;
  engine: Pick<Engine, 'dispatchAll'>;
}

/** Starts all of the runs or none. Resolves when they are on disk. Rejects as `dispatchAll` does. */
export function startRuns(
  { catalog, engine }: RunsStarter,
  sink: Sink,
  items: readonly { input: Pick<SmallTrigger, 'head' | 'body' | 'request'>; idempotency: Trigger['idempotency'] }[],
): Promise<Dispatched[]> {
  return engine.dispatchAll(
    items.map(({ input, idempotency }) => ({ ...triggerOf(catalog, sink, input, idempotency), request: input.request })),
  );
}

function triggerOf(
  catalog: Pick<Catalog, 'workflowOf'>,
  sink: Sink,
  input: Pick<Trigger, 'head' | 'body' | 'request' | 'reading'>,
  idempotency: Trigger['idempotency'],
): Trigger {
  const { workflow, reference } = catalog.workflowOf(sink);
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
