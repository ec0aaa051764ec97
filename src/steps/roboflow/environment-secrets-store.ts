// roboflow_core/environment_secrets_store@v1: outputs secrets of the server that a workflow may use.

import type { StepType } from '../step-type.ts';

interface EnvironmentSecretsStoreManifest {
  variables_storing_secrets: string[];
}

export const environmentSecretsStore: StepType<EnvironmentSecretsStoreManifest> = {
  type: 'roboflow_core/environment_secrets_store@v1',
  summary: 'Outputs secrets that the operator allows workflows to use. Each secret stays masked everywhere except in sent messages.',
  properties: {
    variables_storing_secrets: {
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      description:
        'the names of the secrets; each adds an output, its name in lower case, which is null if the secret is not set or not allowed',
    },
  },
  required: ['variables_storing_secrets'],
  ignoresUnknown: true,
  findFaults({ variables_storing_secrets: names }) {
    const outputs = names.map(outputName);
    return outputs.flatMap((output, index) =>
      outputs.indexOf(output) === index
        ? []
        : [{ path: `variables_storing_secrets[${index}]`, message: `an earlier entry already has the output "${output}"` }],
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
