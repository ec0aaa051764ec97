// Roboflow's blocks, in the order of the documentation.

import type { StepType } from '../step-type.ts';
import { cacheGet } from './cache-get.ts';
import { cacheSet } from './cache-set.ts';
import { continueIf } from './continue-if.ts';
import { csvFormatter } from './csv-formatter.ts';
import { currentTime } from './current-time.ts';
import { dataAggregator } from './data-aggregator.ts';
import { deltaFilter } from './delta-filter.ts';
import { emailNotificationV1 } from './email-notification-v1.ts';
import { emailNotificationV2 } from './email-notification-v2.ts';
import { environmentSecretsStore } from './environment-secrets-store.ts';
import { expression } from './expression.ts';
import { firstNonEmptyOrDefault } from './first-non-empty-or-default.ts';
import { jsonParser } from './json-parser.ts';
import { localFileSink } from './local-file-sink.ts';
import { propertyDefinition } from './property-definition.ts';
import { rateLimiter } from './rate-limiter.ts';
import { slackNotification } from './slack-notification.ts';
import { stringTemplate } from './string-template.ts';
import { switchCase } from './switch-case.ts';
import { twilioSmsNotificationV1 } from './twilio-sms-notification-v1.ts';
import { twilioSmsNotificationV2 } from './twilio-sms-notification-v2.ts';
import { webhookSink } from './webhook-sink.ts';

export const roboflowStepTypes: readonly StepType[] = [
  continueIf,
  switchCase,
  rateLimiter,
  deltaFilter,
  propertyDefinition,
  expression,
  firstNonEmptyOrDefault,
  stringTemplate,
  jsonParser,
  csvFormatter,
  dataAggregator,
  currentTime,
  cacheGet,
  cacheSet,
  environmentSecretsStore,
  webhookSink,
  slackNotification,
  emailNotificationV1,
  emailNotificationV2,
  twilioSmsNotificationV1,
  twilioSmsNotificationV2,
  localFileSink,
] as readonly StepType[];
