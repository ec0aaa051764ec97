// Steps for Robovision, in the order of the documents.

import type { StepType } from '../step-type.ts';
import { cameraWebhook } from './camera-webhook.ts';

export const robovisionStepTypes: readonly StepType[] = [cameraWebhook] as unknown as readonly StepType[];
