// Finds faults of a document that is valid by itself but conflicts with the server's definitions.

import { type Fault, nestFaults } from '../core/fault.ts';
import { workflowIdsOf } from '../core/sink/fan-out-setting.ts';
import type { DefinitionOwner, SinkDefinition } from '../core/sink/sink.ts';
import { similarNames } from '../core/values/similar-names.ts';
import type { CatalogSnapshot } from './catalog.ts';
import { type DefinitionDocument, sinkName } from './definition-document.ts';
import { type CredentialContext, credentialFaults } from './sinks/credential-faults.ts';

export interface ApplyContext {
  current: CatalogSnapshot;
  owner: DefinitionOwner;
  credentials: CredentialContext;
}

/** Requires that all sinks of the document were parsed. */
export function applyFaults(wanted: DefinitionDocument, { current, owner, credentials }: ApplyContext): Fault[] {
  return [
    ...lostTokens(wanted, current, owner),
    ...unknownWorkflows(wanted, current, owner),
    ...wanted.sinks.flatMap((sink, index) => nestFaults(`sinks[${index}]`, credentialFaults(sink, credentials))),
  ];
}

/** A sink must not become public because its token is missing: the file may have lost it by mistake. */
function lostTokens({ sinks }: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): Fault[] {
  // The demo never replaces sinks of others, so it cannot make one public.
  const guarded = new Set(owner === 'demo' ? [] : current.sinks.filter(({ auth }) => auth.type !== 'none').map(sinkName));
  return sinks.flatMap((sink, index) => {
    if (sink.auth !== null || !guarded.has(sinkName(sink))) return [];
    const message = `${sink.method} ${sink.path} of app "${sink.appId}" requires a token on the server, and the document has none: add auth_token, or "public: true" to let anyone trigger it`;
    return [{ path: `sinks[${index}]`, message }];
  });
}

/** Sinks may use workflows of the document and those of other owners. */
function unknownWorkflows({ workflows, sinks }: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): Fault[] {
  const staying = current.workflows.filter(({ managedBy }) => managedBy !== owner);
  const known = [...workflows, ...staying];
  return sinks.flatMap((sink, index) => nestFaults(`sinks[${index}]`, unknownWorkflowFaults(sink, known)));
}

/** The workflows that the sink names and that are not among the known ones. */
export function unknownWorkflowFaults(sink: SinkDefinition, known: readonly { appId: string; id: string }[]): Fault[] {
  const ids = known.filter(({ appId }) => appId === sink.appId).map(({ id }) => id);
  return workflowIdsOf(sink).flatMap((workflowId, entry) => {
    if (ids.includes(workflowId)) return [];
    const [near] = similarNames(workflowId, ids);
    const isOnly = sink.workflowId !== null;
    const advice = isOnly ? 'define it, or leave workflow_id out' : 'define it';
    const hint = near === undefined ? advice : `did you mean "${near}"?`;
    const path = isOnly ? 'workflow_id' : `workflows[${entry}].workflow_id`;
    return [{ path, message: `app "${sink.appId}" has no workflow "${workflowId}"; ${hint}` }];
  });
}
