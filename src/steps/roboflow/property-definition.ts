// roboflow_core/property_definition@v1: transforms a value by a chain of operations.

import { nestFaults } from '../../core/fault.ts';
import { applyOperations, operationsFaults } from '../../core/uql/operations/apply-operations.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { operationChain, selector } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { type Operations, operationContext } from './parts/named-operations.ts';

interface PropertyDefinitionManifest {
  data: unknown;
  operations: Operations;
}

export const propertyDefinition: StepType<PropertyDefinitionManifest> = {
  type: 'roboflow_core/property_definition@v1',
  aliases: ['PropertyDefinition', 'PropertyExtraction'],
  summary: 'Transforms a value by a chain of operations, for example to count detections or to list their classes.',
  properties: {
    data: selector('the value to transform'),
    operations: operationChain('the operations, in order; an empty list leaves the value unchanged'),
  },
  required: ['data', 'operations'],
  ignoresUnknown: true,
  findFaults: ({ operations }) => nestFaults('operations', operationsFaults(operations)),
  outputs: () => ['output'],
  plan: ({ data, operations }, context) =>
    withOperations(() => ({
      kind: 'completed',
      outputs: { output: applyOperations(data, operations, operationContext(context)) },
    })),
};
