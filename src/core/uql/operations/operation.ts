// The interface of an operation: its type, its parameters and its function. A definition is read once, which finds its
// faults and compiles it, and then run many times.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';
import type { Images } from '../image.ts';

/** An operation in a workflow: `{"type":"Multiply","other":2}`. */
export interface OperationDefinition {
  readonly type: string;
  readonly [parameter: string]: unknown;
}

export interface OperationContext {
  /** The values that operations and operands refer to by name. */
  parameters: Readonly<Record<string, unknown>>;
  images: Images;
  /** In [0, 1). */
  random(): number;
  /** In ms since the epoch. The time of an image without metadata. */
  now?: number;
}

/** Must not change its input. */
export type Transform = (value: unknown, context: OperationContext) => unknown;

/** Evaluates a statement. `values` are its operands by name. */
export type Predicate = (values: Readonly<Record<string, unknown>>, context: OperationContext) => boolean;

export type Reading<Value> = { value: Value } | { faults: Fault[] };

/** Reads chains and statements nested in an operation. `place` is the context in Roboflow's messages: `<root>[0]`. */
export interface NestedReader {
  operations(definitions: unknown, place: (index: number) => string): Reading<Transform>;
  statementGroup(definition: unknown, place: string): Reading<Predicate>;
}

export interface Parameter<Value> {
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** `given` is undefined if the definition omits the parameter. */
  read(given: unknown, nested: NestedReader, place: string): Reading<Value>;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** The values of an operation's parameters. */
export type Settings<Declared extends Parameters> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Parameter<infer Value> ? Value : never;
};

export interface Operation<Declared extends Parameters = Parameters> {
  readonly type: string;
  /** One sentence for the documents. */
  readonly summary: string;
  readonly parameters: Declared;
  /** The operation accepts Detections; without it, they are converted to JSON first. */
  readonly takesDetections?: true;
  /** `place` is the operation's context in messages. */
  readonly apply: (value: unknown, settings: Settings<Declared>, context: OperationContext, place: string) => unknown;
}

/** Infers the type of the settings from the parameters, then erases it, so that all operations fit in one list. */
export function defineOperation<Declared extends Parameters>(operation: Operation<Declared>): Operation {
  return operation as unknown as Operation;
}
