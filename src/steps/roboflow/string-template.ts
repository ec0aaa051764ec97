// roboflow_core/string_template@v1: fills named placeholders in a text, as Python's str.format does.

import { typeName } from '../../core/python/kind.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { literals, operationChains, text } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { chainFaults, type OperationsByName, transformValues, type Values } from './parts/named-operations.ts';
import { renderTemplate, templateFault } from './parts/template.ts';

interface StringTemplateManifest {
  template: unknown;
  data?: Values;
  data_operations?: OperationsByName;
}

export const stringTemplate: StepType<StringTemplateManifest> = {
  type: 'roboflow_core/string_template@v1',
  summary: "Fills the named placeholders of a text, which may have Python's format specifications.",
  properties: {
    template: text('text with placeholders such as {name} or {name:.2f}, and {{ for a brace, or a selector of it'),
    data: literals('the values of the placeholders, by name'),
    data_operations: operationChains('operations on values before they are filled in, by name'),
  },
  required: ['template'],
  ignoresUnknown: true,
  findFaults: ({ data = {}, data_operations: chains }) => chainFaults('data_operations', chains, data),
  outputs: () => ['output'],
  plan: ({ template, data = {}, data_operations: chains = {} }, context) =>
    withOperations(() => {
      if (typeof template !== 'string') {
        throw templateFault(`expected template to be a string, got value of type ${typeName(template)}.`);
      }
      return { kind: 'completed', outputs: { output: renderTemplate(template, transformValues(data, chains, context)) } };
    }),
};
