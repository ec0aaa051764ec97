// Finds and describes the known step types, and checks manifests against them.

import { createSchemaCheck, type JsonSchema, type SchemaCheck } from '../core/schema.ts';
import { suggestNames } from '../core/values/similar-names.ts';
import type { InspectManifest, ManifestReport } from '../core/workflow/faults.ts';
import { commonProperties, isOutcomeTransition, survivesFailure } from './step-properties.ts';
import type { StepType } from './step-type.ts';

/** A step type as its users see it. */
export interface StepTypeDescription {
  type: string;
  aliases: readonly string[];
  summary: string;
  manifest: JsonSchema;
  /** Names of its outputs; null if they depend on the manifest. */
  outputs: readonly string[] | null;
}

export interface StepTypes {
  /** By id or alias. */
  find(type: string): StepType | undefined;
  inspect: InspectManifest;
  describe(): StepTypeDescription[];
}

interface Entry {
  stepType: StepType;
  check: SchemaCheck;
}

/** Throws when two types share an id or an alias. */
export function createStepTypes(types: readonly StepType[]): StepTypes {
  const known = new Map<string, Entry>();
  for (const stepType of types) {
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
      return entry === undefined ? reportUnknown(type, types) : report(entry, manifest);
    },
    describe: () =>
      types.map((stepType) => ({
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
  const shown = type.length > 100 ? `${type.slice(0, 100)}…` : type;
  const hint = suggestNames(type, list.flatMap(idsOf), list.map((stepType) => stepType.type).join(', '));
  const message = `"${shown}" is not a step type${hint}`;
  return { faults: [{ path: 'type', message }], outputs: null, acceptsSteps: () => true, allowsLoop: () => true };
}

function report({ stepType, check }: Entry, manifest: Record<string, unknown>): ManifestReport {
  const { properties, mayLoop = false } = stepType;
  const acceptsSteps = (property: string): boolean =>
    property === 'next_steps' || isOutcomeTransition(property) || namesSteps(properties[property]);
  const transitions = { acceptsSteps, allowsLoop: (property: string): boolean => mayLoop || isOutcomeTransition(property) };
  const faults = check(manifest);
  if (faults.length > 0) return { faults, outputs: null, ...transitions };
  const outputs = stepType.outputs(manifest);
  const hasError = outputs !== null && survivesFailure(stepType, manifest);
  return { faults: stepType.findFaults?.(manifest) ?? [], outputs: hasError ? [...outputs, 'error'] : outputs, ...transitions };
}

/** The schema of the whole manifest: the properties of every step and those of the type. */
function manifestSchema(stepType: StepType): JsonSchema {
  const { properties, required, ignoresUnknown = false } = stepType;
  return {
    type: 'object',
    required: ['type', 'name', ...required],
    additionalProperties: ignoresUnknown,
    properties: { type: { type: 'string', enum: idsOf(stepType) }, name: { type: 'string' }, ...commonProperties, ...properties },
  };
}

/** Whether the schema accepts names of steps, such as `$steps.b`. */
function namesSteps(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const { pattern } = schema as JsonSchema;
  return (typeof pattern === 'string' && pattern.startsWith('^\\$steps\\.')) || Object.values(schema).some(namesSteps);
}

/** Null for a type whose outputs depend on the manifest. */
function fixedOutputs(stepType: StepType): readonly string[] | null {
  let dependsOnManifest = false;
  const manifest = new Proxy<Record<string, unknown>>(
    {},
    {
      get() {
        dependsOnManifest = true;
        return undefined;
      },
    },
  );
  try {
    const outputs = stepType.outputs(manifest);
    return dependsOnManifest ? null : outputs;
  } catch (error) {
    if (dependsOnManifest) return null;
    throw error;
  }
}
