// roboflow_core/inner_workflow@v1: a whole workflow as one step. It is inlined when the workflow is planned, so no run
// ever executes it.

import type { Fault } from '../core/fault.ts';
import { INNER_WORKFLOW, readReference } from '../core/workflow/inner-workflow-step.ts';
import { innerDefinition, REFERENCE_ID, workflowId, workflowVersionId } from './shared/inner-definition.ts';
import type { StepType } from './step-type.ts';

interface InnerWorkflowManifest {
  name: string;
  retry?: unknown;
  max_visits?: unknown;
  on_success?: unknown;
  on_failure?: unknown;
  workflow_definition?: object | null;
  workflow_workspace_id?: string | null;
  workflow_id?: string | null;
  workflow_version_id?: string | number | null;
}

export const innerWorkflow: StepType<InnerWorkflowManifest> = {
  type: INNER_WORKFLOW,
  summary: "Runs another workflow as one step. The other workflow's steps become steps of this one, named {step}__{childstep}.",
  properties: {
    workflow_definition: innerDefinition,
    workflow_workspace_id: { type: ['string', 'null'], pattern: REFERENCE_ID, description: 'must be "local" or the id of the app' },
    workflow_id: workflowId,
    workflow_version_id: workflowVersionId,
    parameter_bindings: { type: 'object', description: 'the inputs of the other workflow by name, each a selector or a literal' },
    execution_mode: { type: 'string', enum: ['embedded'], description: 'the steps always run as part of this workflow' },
  },
  required: ['parameter_bindings'],
  ignoresUnknown: true,
  findFaults: (manifest) => [...formFaults(manifest), ...commonFaults(manifest)],
  /** The outputs of its workflow. */
  outputs: () => null,
  plan: ({ name }) => ({
    kind: 'failed',
    retryable: false,
    error: { code: 'not_inlined', message: `the workflow that step "${name}" refers to was not resolved when it was saved` },
  }),
};

function formFaults(manifest: InnerWorkflowManifest): Fault[] {
  const { name, workflow_definition: definition = null, workflow_workspace_id: workspace = null, workflow_id: id = null } = manifest;
  if (definition !== null && (workspace !== null || id !== null)) {
    const message = `inner_workflow step \`${name}\` must not set both \`workflow_definition\` and reference fields (\`workflow_workspace_id\` / \`workflow_id\`).`;
    return [{ path: 'workflow_definition', message }];
  }
  if (definition !== null || readReference(manifest) !== null) return [];
  const message = `inner_workflow step \`${name}\` requires a non-empty \`workflow_definition\` object or reference fields \`workflow_workspace_id\` and \`workflow_id\`.`;
  return [{ path: '', message }];
}

/** Retries, visits and transitions apply to its inner steps. */
const NOT_AS_A_WHOLE = {
  retry: 'is not retried as a whole',
  max_visits: 'is not visited as a whole',
  on_success: 'does not succeed as a whole',
  on_failure: 'does not fail as a whole',
} as const;

function commonFaults(manifest: InnerWorkflowManifest): Fault[] {
  return Object.entries(NOT_AS_A_WHOLE)
    .filter(([property]) => manifest[property as keyof typeof NOT_AS_A_WHOLE] !== undefined)
    .map(([property, text]) => ({ path: property, message: `an inner workflow ${text}; set "${property}" on its steps` }));
}
