// roboflow_core/environment_secrets_store@v1: secrets of the server that a workflow may use, as outputs.

import type { StepType } from '../step-type.ts';

interface EnvironmentSecretsStoreManifest {
  variables_storing_secrets: string[];
}

export const environmentSecretsStore: StepType<EnvironmentSecretsStoreManifest> = {
  type: 'roboflow_core/environment_secrets_store@v1',
  summary: 'Gives secrets that the operator lets workflows use; each stays masked everywhere but in what is sent.',
  properties: {
    variables_storing_secrets: {
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      description: 'names of secrets; each output is its name in lower case, null when the secret is not set or not allowed',
    },
  },
  required: ['variables_storing_secrets'],
  ignoresUnknown: true,
  findFaults({ variables_storing_secrets: names }) {
    const outputs = names.map(outputName);
    return outputs.flatMap((output, index) =>
      outputs.indexOf(output) === index
        ? []
        : [{ path: `variables_storing_secrets[${index}]`, message: `the output "${output}" is that of an earlier entry as well` }],
    );
  },
  outputs: ({ variables_storing_secrets: names }) => names.map(outputName),
  plan: ({ variables_storing_secrets: names }, context) => ({
    kind: 'completed',
    outputs: Object.fromEntries(names.map((name) => [outputName(name), context.secret(name)])),
  }),
};

function outputName(name: string): string {
  return name.toLowerCase();
}
