// v7/logic_stage@v1: V7's Logic Stage: the first rule whose condition is true decides the next stage; other items take the
// else edge.

import { asPayload } from '../shared/payload-setting.ts';
import { steps } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { ConditionFault, conditionFaults, holds } from './condition.ts';
import { leaveBy, NAME, refuse } from './stage-end.ts';
import { NO_PAYLOAD, stagePayload } from './stage-payload.ts';

interface Rule {
  name?: string;
  when: unknown;
  next_steps: readonly string[];
}

interface LogicStageManifest {
  payload?: unknown;
  rules: readonly Rule[];
  else?: readonly string[];
}

export const logicStage: StepType<LogicStageManifest> = {
  type: 'v7/logic_stage@v1',
  summary: "V7's Logic Stage: the first rule whose condition is true chooses the next steps.",
  nulls: 'take',
  mayLoop: true,
  properties: {
    payload: { default: '$request.payload', description: 'the typed payload whose annotations the conditions test' },
    rules: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      description: 'rules in order, each with a condition and the steps to run if it is true',
      items: {
        type: 'object',
        required: ['when', 'next_steps'],
        additionalProperties: false,
        properties: { name: NAME, when: { type: 'object' }, next_steps: steps('the steps to run next') },
      },
    },
    else: steps('the steps to run if no condition is true; without any, the branch ends'),
  },
  required: ['rules'],
  findFaults: ({ rules }) => rules.flatMap(({ when }, index) => conditionFaults(`rules[${index}].when`, when)),
  outputs: () => ['rule', 'name', 'matched'],
  plan(manifest, context) {
    const { rules, else: otherwise = [] } = manifest;
    const payload = asPayload(stagePayload(manifest, context));
    if (payload === null) return refuse('invalid_payload', `payload ${NO_PAYLOAD}`);
    try {
      const index = rules.findIndex(({ when }) => holds(when, payload));
      const rule = rules[index];
      return leaveBy(rule?.next_steps ?? otherwise, {
        rule: rule === undefined ? null : index,
        name: rule?.name ?? null,
        matched: rule !== undefined,
      });
    } catch (error) {
      if (error instanceof ConditionFault) return refuse('invalid_condition', error.message);
      throw error;
    }
  },
};
