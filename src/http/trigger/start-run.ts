// Starts a run of a sink, for a request that triggers it and for the replay of an earlier run.

import type { Sink } from '../../core/sink/sink.ts';
import type { Catalog } from '../../definitions/catalog.ts';
import type { Dispatched, Trigger } from '../../engine/dispatch.ts';
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
  const { workflow, reference } = catalog.workflowOf(sink);
  return engine.dispatch({
    appId: sink.appId,
    sinkId: sink.id,
    workflow,
    workflowReference: reference,
    head: input.head,
    body: input.body,
    request: input.request,
    reading: input.reading,
    inputMapping: sink.inputs,
    idempotency,
  });
}
