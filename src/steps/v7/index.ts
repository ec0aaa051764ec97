// Stages of V7's workflows, in the order of the documentation.

import type { StepType } from '../step-type.ts';
import { consensusStage } from './consensus-stage.ts';
import { logicStage } from './logic-stage.ts';
import { samplingStage } from './sampling-stage.ts';
import { webhookStage } from './webhook-stage.ts';

export const v7StepTypes: readonly StepType[] = [webhookStage, logicStage, samplingStage, consensusStage] as unknown as readonly StepType[];
