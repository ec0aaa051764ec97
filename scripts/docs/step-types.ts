// The sections on step types: purpose, properties and outputs of each, from the list that `GET /step-types` returns.

import { retrySchema } from '../../src/core/delivery/retry.ts';
import { createSchemaCheck, type JsonSchema } from '../../src/core/schema.ts';
import { bindableProperties } from '../../src/core/workflow/selector.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes, type StepTypeDescription } from '../../src/steps/registry.ts';
import { commonProperties } from '../../src/steps/step-properties.ts';
import { code, markdownTable } from './markdown-table.ts';
import { schemaInWords } from './schema-words.ts';

type Properties = Readonly<Record<string, JsonSchema>>;

/** Every manifest has these; a type may have some of them as properties of its own. */
const isCommon = (name: string, schema: JsonSchema): boolean => name === 'type' || name === 'name' || commonProperties[name] === schema;

export function stepTypeSections(): string {
  return createStepTypes(builtinStepTypes).describe().map(section).join('\n\n');
}

export function retryTable(): string {
  return propertyTable(retrySchema['properties'] as Properties, []);
}

function section({ type, aliases, summary, manifest, outputs }: StepTypeDescription): string {
  const properties = Object.fromEntries(
    Object.entries(manifest['properties'] as Properties).filter(([name, schema]) => !isCommon(name, schema)),
  ) as Properties;
  const ignoresUnknown = manifest['additionalProperties'] === true;
  return [
    `### ${type}`,
    summary,
    aliases.length === 0 ? null : `Also known as ${aliases.map(code).join(', ')}.`,
    Object.keys(properties).length === 0
      ? 'It has no properties of its own.'
      : propertyTable(properties, manifest['required'] as readonly string[]),
    ignoresUnknown ? 'Unknown properties are ignored.' : null,
    `Outputs: ${describeOutputs(outputs)}.`,
  ]
    .filter((part) => part !== null)
    .join('\n\n');
}

function describeOutputs(outputs: readonly string[] | null): string {
  if (outputs === null) return 'determined by its properties';
  return outputs.map(code).join(', ') || 'none';
}

function propertyTable(properties: Properties, required: readonly string[]): string {
  const rows = Object.entries(properties).map(([name, schema]) => [
    code(name),
    schemaInWords(schema),
    required.includes(name) ? 'required' : schema['default'] === undefined ? '' : code(JSON.stringify(schema['default'])),
    describeSelectable(name, schema),
    String(schema['description'] ?? ''),
  ]);
  return markdownTable(['Property', 'Type', 'Default', 'Selectable', 'Description'], rows);
}

/** By the check of manifests. Operations and statements have no selectors. */
function describeSelectable(name: string, schema: JsonSchema): string {
  if (!Object.hasOwn(bindableProperties({ [name]: null }), name)) return 'no';
  const takes = (value: unknown): boolean => createSchemaCheck(schema)(value).length === 0;
  if (takes('$inputs.x')) return 'yes';
  const fields = Object.values((schema['properties'] ?? {}) as Properties);
  const isInside = takes({ key: '$inputs.x' }) || takes(['$inputs.x']) || fields.some((field) => describeSelectable(name, field) === 'yes');
  return isInside ? 'inside' : 'no';
}
