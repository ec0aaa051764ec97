// Finds every fault of a sink as it is typed, without saving it: those of its document, and those beside other definitions.

import type { Fault } from '../../core/fault.ts';
import { SINK_METHODS, type Sink } from '../../core/sink/sink.ts';
import { canonicalPattern, patternFault, patternKey } from '../../core/sink/sink-path.ts';
import { unknownWorkflowFaults } from '../apply-faults.ts';
import type { Catalog, CatalogSnapshot } from '../catalog.ts';
import { managedFault } from '../edit.ts';
import { type PlanContext, planSink } from './plan-sink.ts';
import { readSinkEdit } from './sink-edit.ts';

/** The sink that is to be replaced, and as the API shows it. */
export interface EditedSink {
  sink: Sink;
  shown: object;
}

interface CheckContext extends PlanContext {
  catalog: Catalog;
}

export function checkSink(context: CheckContext, appId: string, document: unknown, edited: EditedSink | null): Fault[] {
  const { catalog } = context;
  const edit = edited === null ? { document, faults: [] } : readSinkEdit(document, edited.shown as Record<string, unknown>);
  const { sink, faults } = planSink(context, appId, edit.document, edited?.sink);
  const owned = edited === null ? null : managedFault(`sink "${edited.sink.id}"`, edited.sink.managedBy);
  return [
    ...(owned === null ? [] : [{ path: '', message: owned }]),
    ...edit.faults,
    ...faults,
    ...(sink === null ? [] : unknownWorkflowFaults(sink, catalog.current().workflows)),
    ...clashFaults(catalog.current(), appId, document, edited?.sink),
  ];
}

/** Needs no more than path and method, so that a clash shows while the rest is being typed. */
function clashFaults({ sinks }: CatalogSnapshot, appId: string, document: unknown, edited: Sink | undefined): Fault[] {
  const { path, method } = Object(document) as { path?: unknown; method?: unknown };
  const name = typeof method === 'string' ? method.toUpperCase() : '';
  if (typeof path !== 'string' || patternFault(path) !== null || ![...SINK_METHODS, 'ANY'].includes(name)) return [];
  const key = patternKey(canonicalPattern(path));
  const clash = sinks.find(
    (sink) => sink.appId === appId && sink.method === name && sink.id !== edited?.id && patternKey(sink.path) === key,
  );
  if (clash === undefined) return [];
  return [{ path: 'path', message: `${name} ${path} clashes with sink ${clash.id} (${clash.method} ${clash.path}) of app "${appId}"` }];
}
