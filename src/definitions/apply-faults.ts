// What is wrong with a document that is valid by itself, because of what the server holds.

import type { Fault } from '../core/fault.ts';
import type { DefinitionOwner } from '../core/sink/sink.ts';
import { nearNames } from '../core/values/near-names.ts';
import type { CatalogSnapshot } from './catalog.ts';
import { type DefinitionDocument, sinkName } from './definition-document.ts';

/** Faults of an owner's document all of whose sinks were parsed. */
export function applyFaults(wanted: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): Fault[] {
  return [...lostTokens(wanted, current, owner), ...unknownWorkflows(wanted, current, owner)];
}

/** A token that is no longer written opens nothing: a file that lost it by mistake looks just the same. */
function lostTokens({ sinks }: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): Fault[] {
  // The demo takes no sink from anybody, so that it opens none.
  const guarded = new Set(owner === 'demo' ? [] : current.sinks.filter(({ auth }) => auth.type !== 'none').map(sinkName));
  return sinks.flatMap((sink, index) => {
    if (sink.auth !== null || !guarded.has(sinkName(sink))) return [];
    const message = `${sink.method} ${sink.path} of app "${sink.appId}" takes a token on the server, and nothing here says which: write its auth_token, or "public: true" to let anyone trigger it`;
    return [{ path: `sinks[${index}]`, message }];
  });
}

/** Workflows of the document, and those that it does not own, are what its sinks may name. */
function unknownWorkflows({ workflows, sinks }: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): Fault[] {
  const staying = current.workflows.filter(({ managedBy }) => managedBy !== owner);
  const known = [...workflows, ...staying];
  return sinks.flatMap(({ appId, workflowId }, index) => {
    if (workflowId === null || known.some((workflow) => workflow.appId === appId && workflow.id === workflowId)) return [];
    const [near] = nearNames(
      workflowId,
      known.filter((workflow) => workflow.appId === appId).map(({ id }) => id),
    );
    const hint = near === undefined ? 'define it, or leave workflow_id out' : `did you mean "${near}"?`;
    return [{ path: `sinks[${index}].workflow_id`, message: `app "${appId}" has no workflow "${workflowId}"; ${hint}` }];
  });
}
