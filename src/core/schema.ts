// Checks a value against a JSON Schema and words each failure for the person who wrote the value.

import { Ajv, type ErrorObject, type FuncKeywordDefinition, type Options, type ValidateFunction } from 'ajv';
import type { Fault } from './fault.ts';
import { type CoercionRule, isCoercible } from './values/coercion.ts';
import { similarNames, suggestNames } from './values/similar-names.ts';

export type JsonSchema = Record<string, unknown>;

/** Returns every fault of the value, and an empty list when it fits. */
export type SchemaCheck = (value: unknown) => Fault[];

/**
 * Schemas are our own and tested: checking each against the schema of schemas would be a tenth of a cold start. Optimizing their code
 * takes a third of their compilation.
 */
export const TRUSTED_SCHEMAS = { meta: false, validateSchema: false, code: { optimize: false } } as const;

/** Beside what JSON Schema knows: `{"coerces":{"to":"integer","minimum":0}}`. */
const COERCES: FuncKeywordDefinition = {
  keyword: 'coerces',
  schemaType: 'object',
  errors: false,
  validate: (rule: CoercionRule, value: unknown) => isCoercible(rule, value),
};

const OPTIONS: Options = {
  ...TRUSTED_SCHEMAS,
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  discriminator: true,
  verbose: true,
  keywords: [COERCES],
};

/** Compiles on first use: a process that validates nothing pays nothing. */
export function createSchemaCheck(schema: JsonSchema): SchemaCheck {
  let check: SchemaCheck | undefined;
  return (value) => {
    check ??= compileSchemaCheck(schema);
    return check(value);
  };
}

/** Compiles at once, and throws if the schema is not valid. */
export function compileSchemaCheck(schema: JsonSchema, options: Options = {}): SchemaCheck {
  const validate: ValidateFunction = new Ajv({ ...OPTIONS, ...options }).compile(schema);
  return (value) => (validate(value) ? [] : describeErrors(validate.errors ?? []));
}

function describeErrors(errors: ErrorObject[]): Fault[] {
  const faults = new Map<string, Fault>();
  const choices = errors.filter(isDescribedChoice);
  for (const error of errors) {
    if (choices.some((choice) => isMissedAlternative(error, choice))) continue;
    const fault = describeError(error);
    if (fault !== null) faults.set(`${fault.path} ${fault.message}`, fault);
  }
  return [...faults.values()];
}

function isDescribedChoice({ keyword, parentSchema }: ErrorObject): boolean {
  return (keyword === 'anyOf' || keyword === 'oneOf') && expectedBy(parentSchema) !== undefined;
}

const OF_THE_VALUE_ITSELF = new Set(['type', 'pattern', 'enum', 'const', 'minimum', 'maximum', 'coerces']);

/** A described choice says what would be right: that the value is none of its alternatives adds nothing. */
function isMissedAlternative({ schemaPath, instancePath, keyword }: ErrorObject, choice: ErrorObject): boolean {
  return schemaPath.startsWith(`${choice.schemaPath}/`) && instancePath === choice.instancePath && OF_THE_VALUE_ITSELF.has(keyword);
}

/** What a choice must be: its title, else its description. */
function expectedBy(schema: ErrorObject['parentSchema']): unknown {
  return schema?.['title'] ?? schema?.['description'];
}

function describeError(error: ErrorObject): Fault | null {
  const path = readablePath(error.instancePath);
  const { keyword, params, parentSchema } = error;
  switch (keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
      return { path, message: `unknown field "${name}"${suggestNames(name, known)}` };
    }
    case 'required':
      return { path, message: `field "${params['missingProperty']}" is missing` };
    case 'enum': {
      const allowed = params['allowedValues'] as unknown[];
      return { path, message: `must be one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}${meant(error.data, allowed)}` };
    }
    case 'const':
      return { path, message: `must be ${JSON.stringify(params['allowedValue'])}` };
    case 'pattern':
      return { path, message: String(parentSchema?.['description'] ?? `must match ${params['pattern']}`) };
    case 'anyOf':
    case 'oneOf':
      return expectedBy(parentSchema) === undefined ? null : { path, message: `must be ${expectedBy(parentSchema)}` };
    case 'if':
      return null;
    default:
      return { path, message: error.message ?? 'is not valid' };
  }
}

function meant(given: unknown, allowed: readonly unknown[]): string {
  const texts = allowed.filter((value) => typeof value === 'string');
  const [near] = typeof given === 'string' ? similarNames(given, texts) : [];
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

/** `/steps/2/values/x` as `steps[2].values.x`. */
function readablePath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '');
}
