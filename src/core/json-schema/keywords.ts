// The keywords that schemas may have. Those of JSON Schema that are not here need the results of other schemas, or names of
// schemas elsewhere.

import type { Keyword } from './keyword.ts';
import { constant, enumeration, type } from './keywords/any-value.ts';
import { allOf, anyOf, condition, definitions, not, oneOf, reference } from './keywords/choices.ts';
import { contains, items, maxItems, minItems, prefixItems, uniqueItems } from './keywords/lists.ts';
import { exclusiveMaximum, exclusiveMinimum, maximum, minimum, multipleOf } from './keywords/numbers.ts';
import {
  additionalProperties,
  dependentRequired,
  dependentSchemas,
  maxProperties,
  minProperties,
  patternProperties,
  properties,
  propertyNames,
  required,
} from './keywords/objects.ts';
import { format, maxLength, minLength, pattern } from './keywords/texts.ts';

export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  Object.entries({
    type,
    enum: enumeration,
    const: constant,
    minimum,
    maximum,
    exclusiveMinimum,
    exclusiveMaximum,
    multipleOf,
    minLength,
    maxLength,
    pattern,
    format,
    minItems,
    maxItems,
    uniqueItems,
    prefixItems,
    items,
    contains,
    minProperties,
    maxProperties,
    required,
    dependentRequired,
    dependentSchemas,
    properties,
    patternProperties,
    additionalProperties,
    propertyNames,
    allOf,
    anyOf,
    oneOf,
    not,
    if: condition,
    $ref: reference,
    $defs: definitions,
    definitions,
  }),
);

/** Without these right, the other keywords have nothing to add. */
export const GATES: ReadonlySet<string> = new Set(['type', 'enum', 'const']);

/** They check nothing by themselves. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'minContains',
  'maxContains',
  'then',
  'else',
]);
