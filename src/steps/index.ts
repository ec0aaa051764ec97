// The one list of step types, and what definitions and the engine ask of it.

import { retrySchema } from '../core/retry.ts';
import { createSchemaCheck, type JsonSchema, type SchemaCheck } from '../core/schema.ts';
import type { InspectManifest, ManifestReport } from '../core/workflow-faults.ts';
import { innerWorkflow } from './inner-workflow.ts';
import { nearNames } from './near-names.ts';
import { cacheGet } from './roboflow/cache-get.ts';
import { cacheSet } from './roboflow/cache-set.ts';
import { continueIf } from './roboflow/continue-if.ts';
import { csvFormatter } from './roboflow/csv-formatter.ts';
import { currentTime } from './roboflow/current-time.ts';
import { dataAggregator } from './roboflow/data-aggregator.ts';
import { deltaFilter } from './roboflow/delta-filter.ts';
import { emailNotificationV1 } from './roboflow/email-notification-v1.ts';
import { emailNotificationV2 } from './roboflow/email-notification-v2.ts';
import { environmentSecretsStore } from './roboflow/environment-secrets-store.ts';
import { expression } from './roboflow/expression.ts';
import { firstNonEmptyOrDefault } from './roboflow/first-non-empty-or-default.ts';
import { jsonParser } from './roboflow/json-parser.ts';
import { localFileSink } from './roboflow/local-file-sink.ts';
import { propertyDefinition } from './roboflow/property-definition.ts';
import { rateLimiter } from './roboflow/rate-limiter.ts';
import { slackNotification } from './roboflow/slack-notification.ts';
import { stringTemplate } from './roboflow/string-template.ts';
import { switchCase } from './roboflow/switch-case.ts';
import { twilioSmsNotificationV1 } from './roboflow/twilio-sms-notification-v1.ts';
import { twilioSmsNotificationV2 } from './roboflow/twilio-sms-notification-v2.ts';
import { webhookSink } from './roboflow/webhook-sink.ts';
import { capture } from './sluice/capture.ts';
import { delay } from './sluice/delay.ts';
import { fail } from './sluice/fail.ts';
import { set } from './sluice/set.ts';
import type { StepType } from './step-type.ts';

export const builtinStepTypes: readonly StepType[] = [
  set,
  delay,
  fail,
  capture,
  innerWorkflow,
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

/** A step type as its users see it. */
export interface StepTypeDescription {
  type: string;
  aliases: readonly string[];
  summary: string;
  manifest: JsonSchema;
  /** Names of its outputs; null where they depend on the manifest. */
  outputs: readonly string[] | null;
}

export interface StepTypes {
  /** By id or alias; undefined when there is no such type. */
  find(type: string): StepType | undefined;
  inspect: InspectManifest;
  describe(): StepTypeDescription[];
}

interface Entry {
  stepType: StepType;
  check: SchemaCheck;
}

/** Throws when two types share an id or an alias. */
export function createStepTypes(list: readonly StepType[]): StepTypes {
  const known = new Map<string, Entry>();
  for (const stepType of list) {
    const entry = { stepType, check: createSchemaCheck(manifestSchema(stepType)) };
    for (const id of idsOf(stepType)) {
      if (known.has(id)) throw new Error(`two step types share an id: ${id}`);
      known.set(id, entry);
    }
  }
  return {
    find: (type) => known.get(type)?.stepType,
    inspect(type, manifest) {
      const entry = known.get(type);
      return entry === undefined ? reportUnknown(type, list) : report(entry, manifest);
    },
    describe: () =>
      list.map((stepType) => ({
        type: stepType.type,
        aliases: stepType.aliases ?? [],
        summary: stepType.summary ?? '',
        manifest: manifestSchema(stepType),
        outputs: fixedOutputs(stepType),
      })),
  };
}

function idsOf({ type, aliases = [] }: StepType): string[] {
  return [type, ...aliases];
}

function reportUnknown(type: string, list: readonly StepType[]): ManifestReport {
  const near = nearNames(type, list.flatMap(idsOf));
  const shown = type.length > 100 ? `${type.slice(0, 100)}…` : type;
  const known = list.map((stepType) => stepType.type).join(', ');
  const hint =
    near.length === 0 ? `known are ${known}` : `did you mean ${near.map((name) => `"${name}"`).join(' or ')}? Known are ${known}`;
  const message = `"${shown}" is no step type; ${hint}`;
  return { faults: [{ path: 'type', message }], outputs: null, takesSteps: () => true };
}

function report({ stepType, check }: Entry, manifest: Record<string, unknown>): ManifestReport {
  const takesSteps = (property: string): boolean => property === 'next_steps' || namesSteps(stepType.properties[property]);
  const faults = check(manifest);
  if (faults.length > 0) return { faults, outputs: null, takesSteps };
  return { faults: stepType.findFaults?.(manifest) ?? [], outputs: stepType.outputs(manifest), takesSteps };
}

/** The whole manifest: what every step has, and what its type adds. */
function manifestSchema(stepType: StepType): JsonSchema {
  const { properties, required, ignoresUnknown = false } = stepType;
  return {
    type: 'object',
    required: ['type', 'name', ...required],
    additionalProperties: ignoresUnknown,
    properties: { type: { type: 'string', enum: idsOf(stepType) }, name: { type: 'string' }, retry: retrySchema, ...properties },
  };
}

/** Whether text that fits the schema may be the name of a step, as `$steps.b`. */
function namesSteps(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const { pattern } = schema as JsonSchema;
  return (typeof pattern === 'string' && pattern.startsWith('^\\$steps\\.')) || Object.values(schema).some(namesSteps);
}

/** Null for a type that looks at the manifest to name them. */
function fixedOutputs(stepType: StepType): readonly string[] | null {
  let hasLooked = false;
  const manifest = new Proxy<Record<string, unknown>>(
    {},
    {
      get() {
        hasLooked = true;
        return undefined;
      },
    },
  );
  try {
    const outputs = stepType.outputs(manifest);
    return hasLooked ? null : outputs;
  } catch (error) {
    if (hasLooked) return null;
    throw error;
  }
}
