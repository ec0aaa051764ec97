// What an operation is: its name, its parameters, and what it makes of a value. Definitions are read once, which finds
// their faults and compiles them, and run often.

import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';
import type { Images } from '../image.ts';

/** An operation as it stands in a workflow: `{"type":"Multiply","other":2}`. */
export interface OperationDefinition {
  readonly type: string;
  readonly [parameter: string]: unknown;
}

export interface OperationContext {
  /** What operations and operands may name, by name. */
  parameters: Readonly<Record<string, unknown>>;
  images: Images;
  /** In [0, 1). */
  random(): number;
  /** In ms since the epoch: the time of an image that tells none. */
  now?: number;
}

/** Must not change the value that it is given. */
export type Transform = (value: unknown, context: OperationContext) => unknown;

/** Whether a group of statements holds for the values, by the names of its operands. */
export type Predicate = (values: Readonly<Record<string, unknown>>, context: OperationContext) => boolean;

export type Reading<Value> = { value: Value } | { faults: Fault[] };

/** Reads what is nested in an operation. `place` is where Roboflow's messages say that it stands: `<root>[0]`. */
export interface NestedReader {
  operations(definitions: unknown, place: (index: number) => string): Reading<Transform>;
  statementGroup(definition: unknown, place: string): Reading<Predicate>;
}

export interface Parameter<Value> {
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** `given` is undefined where the definition leaves the parameter out. */
  read(given: unknown, nested: NestedReader, place: string): Reading<Value>;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** The parameters' values as their operation takes them. */
export type Settings<Declared extends Parameters> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Parameter<infer Value> ? Value : never;
};

export interface Operation<Declared extends Parameters = Parameters> {
  readonly type: string;
  /** One sentence for the documents. */
  readonly summary: string;
  readonly parameters: Declared;
  /** Given detections as the operation before left them, and not as their JSON. */
  readonly takesDetections?: true;
  /** `place` stands in messages. */
  readonly apply: (value: unknown, settings: Settings<Declared>, context: OperationContext, place: string) => unknown;
}

/** Types the settings by the parameters, and hides them again, so that all operations make one list. */
export function defineOperation<Declared extends Parameters>(operation: Operation<Declared>): Operation {
  return operation as unknown as Operation;
}
