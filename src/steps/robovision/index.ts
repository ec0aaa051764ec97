// Steps for Robovision, in the order of the documentation.

import type { StepType } from '../step-type.ts';
import { cameraWebhook } from './camera-webhook.ts';

export const robovisionStepTypes: readonly StepType[] = [cameraWebhook] as unknown as readonly StepType[];
