// Makes typed inputs of a workflow from what came, and the selectors by which a sink fills them.

import type { JsonType } from '../json-schema/json-type.ts';
import { isMap, typesOf } from './infer-schema.ts';
import type { Shape } from './shape.ts';

export interface InferredInput {
  type: 'WorkflowParameter';
  name: string;
  kind?: string[];
  /** Set for a field that did not always come. */
  default_value?: null;
}

export interface InferredInputs {
  /** For the workflow. */
  declared: InferredInput[];
  /** For the sink: by input, a selector. */
  mapping: Record<string, string>;
  /** Fields that became no input. */
  leftOut: number;
}

const MAX_INPUTS = 50;
const KINDS: Partial<Record<JsonType, string>> = {
  string: 'string',
  integer: 'integer',
  number: 'float',
  boolean: 'boolean',
  array: 'list_of_values',
  object: 'dictionary',
};

/** An input for each field of bodies that are objects, else one of the whole body. */
export function inferInputs(shape: Shape): InferredInputs {
  const { fields, objects, count } = shape;
  if (objects === 0 || objects < count || fields === null || isMap(fields))
    return { declared: [declare('body', shape, true)], mapping: { body: '$request.body' }, leftOut: 0 };
  const taken = new Set<string>();
  const named = [...fields].slice(0, MAX_INPUTS).map(([field, of]) => ({ field, of, name: freeName(field, taken) }));
  return {
    declared: named.map(({ name, of }) => declare(name, of, of.count === objects)),
    mapping: Object.fromEntries(named.map(({ name, field }) => [name, selectorOf(field)])),
    leftOut: fields.size - named.length,
  };
}

function declare(name: string, shape: Shape, isRequired: boolean): InferredInput {
  const kinds = typesOf(shape).flatMap((type) => (type === 'null' ? [] : [KINDS[type] as string]));
  return {
    type: 'WorkflowParameter',
    name,
    ...(kinds.length === 0 ? {} : { kind: kinds }),
    ...(isRequired ? {} : { default_value: null }),
  };
}

/** The name as an input may have it. */
function freeName(field: string, taken: Set<string>): string {
  const plain = field.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100) || 'field';
  let name = plain;
  for (let number = 2; taken.has(name); number += 1) name = `${plain}_${number}`;
  taken.add(name);
  return name;
}

function selectorOf(field: string): string {
  return /^[A-Za-z0-9_-]+$/.test(field) ? `$request.body.${field}` : `$request.body[${JSON.stringify(field)}]`;
}
